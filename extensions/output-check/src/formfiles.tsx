/**
 * The list of files in the form.
 */
import React from 'react';
import type { ILimits } from './api';
import type { IMessages } from './messages';
import { listTypes, totalSize, type IChosenFile } from './validation';

/** What is wrong with a field; the field names it in `aria-describedby`. */
export function Problem(props: { id: string; message: string }): JSX.Element {
  return (
    <p className="vtr-Form-error" id={props.id}>
      {props.message}
    </p>
  );
}

/** What the list of files is given. */
export interface IFilesProps {
  id: string;
  words: IMessages;
  files: IChosenFile[];
  limits: ILimits | null;
  problem: string | null;
  disabled: boolean;
  add: () => void;
  remove: (path: string) => void;
}

function FileRow(props: {
  file: IChosenFile;
  words: IMessages;
  disabled: boolean;
  remove: () => void;
}): JSX.Element {
  const { file, words } = props;
  return (
    <li className="vtr-Form-file" data-vtr-path={file.path}>
      <span className="vtr-Form-fileName" title={file.path}>
        {file.name}
      </span>
      {file.unsaved && (
        <span className="vtr-Form-unsaved">{words.unsaved}</span>
      )}
      <span className="vtr-Form-fileSize">
        {file.size === null ? words.sizeUnknown : words.size(file.size)}
      </span>
      <button
        type="button"
        className="vtr-Form-remove"
        disabled={props.disabled}
        aria-label={words.removeFile(file.name)}
        title={words.removeFile(file.name)}
        onClick={props.remove}
      >
        ×
      </button>
    </li>
  );
}

/** The list of files, with their sizes and the limits. */
export function Files(props: IFilesProps): JSX.Element {
  const { id, words, files, limits, problem, disabled } = props;
  return (
    <fieldset
      className="vtr-Form-field vtr-Form-files"
      data-vtr-field="files"
      tabIndex={-1}
      aria-describedby={problem ? `${id}-error ${id}-hint` : `${id}-hint`}
      aria-invalid={problem !== null}
    >
      <legend className="vtr-Form-label">{words.files}</legend>
      <p className="vtr-Form-hint" id={`${id}-hint`}>
        {limits &&
          words.filesLimits(
            limits.max_files,
            words.size(limits.max_bytes),
            listTypes(limits.types)
          )}
      </p>
      {files.length > 0 ? (
        <ul className="vtr-Form-fileList">
          {files.map(file => (
            <FileRow
              key={file.path}
              file={file}
              words={words}
              disabled={disabled}
              remove={() => props.remove(file.path)}
            />
          ))}
        </ul>
      ) : (
        <p className="vtr-Form-none">{words.filesNone}</p>
      )}
      <div className="vtr-Form-fileActions">
        <button
          type="button"
          className="vtr-Button vtr-Form-add"
          disabled={disabled}
          onClick={props.add}
        >
          {words.addFiles}
        </button>
        {files.length > 1 && (
          <span className="vtr-Form-total">
            {words.filesTotal(files.length, words.size(totalSize(files)))}
          </span>
        )}
      </div>
      {problem && <Problem id={`${id}-error`} message={problem} />}
    </fieldset>
  );
}
