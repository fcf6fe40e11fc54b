/**
 * The form: files, what they are, send. It knows no JupyterLab.
 */
import React, { useEffect, useId, useRef, useState } from 'react';
import { Advice } from './advice';
import {
  ApiError,
  CONTEXT_FIELDS,
  fieldOf,
  FORM_FIELDS,
  type ErrorField,
  type FormField,
  type ILimits,
  type IPrecheck,
  type ISubmission,
  type ISubmissionForm,
  type Mending
} from './api';
import { Files, Problem } from './formfiles';
import type { IMessages } from './messages';
import {
  findProblems,
  totalSize,
  type IChosenFile,
  type IProblem
} from './validation';

/** Fields written in several lines, with how many are shown. */
const LINES: Partial<Record<FormField, number>> = {
  what: 2,
  population: 2,
  variables: 2,
  counts: 2,
  note: 2
};

/** What the form is given. */
export interface IFormProps {
  words: IMessages;
  files: IChosenFile[];
  form: ISubmissionForm;
  limits: ILimits | null;
  /** Number of the submission this one replaces. */
  replaces: number | null;
  /** Let her choose more files; resolves with those chosen. */
  addFiles: () => Promise<IChosenFile[]>;
  /** Look files over before they are sent; rejects with ApiError. */
  precheck: (
    files: IChosenFile[],
    form: ISubmissionForm,
    save: boolean
  ) => Promise<IPrecheck>;
  /** Mend a declared table; the new file. Rejects with ApiError. */
  mend: (file: IChosenFile, remedy: Mending) => Promise<IChosenFile>;
  /** Send; rejects with ApiError. */
  send: (files: IChosenFile[], form: ISubmissionForm) => Promise<ISubmission>;
  close: () => void;
  showSubmissions: () => void;
  /** Told while sending, when the form must not be closed. */
  setBusy: (busy: boolean) => void;
}

interface IFieldProps {
  id: string;
  name: FormField;
  words: IMessages;
  value: string;
  problem: string | null;
  disabled: boolean;
  onChange: (value: string) => void;
}

function Field(props: IFieldProps): JSX.Element {
  const { id, name, words, value, problem, disabled } = props;
  const { label, hint } = words.fields[name];
  const required = CONTEXT_FIELDS.includes(name);
  const described = problem ? `${id}-error ${id}-hint` : `${id}-hint`;
  const shared = {
    id,
    name,
    value,
    disabled,
    className: 'vtr-Form-input jp-mod-styled',
    'data-vtr-field': name,
    'aria-describedby': described,
    'aria-invalid': problem !== null,
    'aria-required': required
  };
  const rows = LINES[name];
  return (
    <div className="vtr-Form-field">
      <label htmlFor={id} className="vtr-Form-label">
        {label}
        {required && (
          <span className="vtr-Form-required">{words.required}</span>
        )}
      </label>
      <p className="vtr-Form-hint" id={`${id}-hint`}>
        {hint}
      </p>
      {rows ? (
        <textarea
          {...shared}
          rows={rows}
          onChange={event => props.onChange(event.target.value)}
        />
      ) : (
        <input
          {...shared}
          type="text"
          autoComplete="off"
          onChange={event => props.onChange(event.target.value)}
        />
      )}
      {problem && <Problem id={`${id}-error`} message={problem} />}
    </div>
  );
}

function Sent(props: {
  words: IMessages;
  titleId: string;
  submission: ISubmission;
  close: () => void;
  showSubmissions: () => void;
}): JSX.Element {
  const { words, submission } = props;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <div className="vtr-Form vtr-Form-sent" data-testid="vtr-form-sent">
      <h2
        className="vtr-Form-title"
        id={props.titleId}
        ref={heading}
        tabIndex={-1}
      >
        {words.sent(submission.number)}
      </h2>
      <div className="vtr-Form-body">
        <p>{words.sentBody}</p>
      </div>
      <div className="vtr-Form-footer">
        <button type="button" className="vtr-Button" onClick={props.close}>
          {words.close}
        </button>
        <button
          type="button"
          className="vtr-Button vtr-mod-accept"
          onClick={props.showSubmissions}
        >
          {words.seeSubmissions}
        </button>
      </div>
    </div>
  );
}

/** A refusal as a problem of the form. */
function problemOf(error: unknown, words: IMessages): IProblem {
  if (!(error instanceof ApiError)) {
    return { field: null, message: words.errors.unexpected };
  }
  const local = error.code === 'unreachable' ? words.errors.unreachable : null;
  return {
    field: fieldOf(error),
    message: error.message || local || words.errors.unexpected
  };
}

/** Move to the first field with a problem, or to the summary. */
function focusProblem(root: HTMLElement | null, problem: IProblem): void {
  const selector = problem.field
    ? `[data-vtr-field="${problem.field}"]`
    : '.vtr-Form-summary';
  root?.querySelector<HTMLElement>(selector)?.focus();
}

/** The form and, once sent, its receipt. */
export function SubmissionForm(props: IFormProps): JSX.Element {
  const { words, limits } = props;
  const id = useId();
  const root = useRef<HTMLFormElement>(null);
  const [files, setFiles] = useState(props.files);
  const [form, setForm] = useState(props.form);
  const [problems, setProblems] = useState<IProblem[]>([]);
  const [refused, setRefused] = useState(false);
  const [sending, setSending] = useState(false);
  const [sent, setSent] = useState<ISubmission | null>(null);

  useEffect(() => {
    // After showModal() has put the focus on the first button.
    root.current
      ?.querySelector<HTMLElement>('[data-vtr-field="what"]')
      ?.focus({ preventScroll: true });
  }, []);

  useEffect(() => {
    if (problems.length > 0) {
      focusProblem(root.current, problems[0]);
    }
  }, [problems]);

  const problemAt = (field: ErrorField | null): string | null =>
    problems.find(problem => problem.field === field)?.message ?? null;
  const clear = (field: ErrorField): void =>
    setProblems(all =>
      all.some(problem => problem.field === field)
        ? all.filter(problem => problem.field !== field)
        : all
    );

  const add = async (): Promise<void> => {
    const more = await props.addFiles();
    setFiles(old => [
      ...old,
      ...more.filter(file => !old.some(other => other.path === file.path))
    ]);
    clear('files');
  };

  /** The mended file takes the place of the one it was made from. */
  const mend = async (name: string, remedy: Mending): Promise<void> => {
    const old = files.find(file => file.name === name);
    if (old) {
      const made = await props.mend(old, remedy);
      setFiles(all =>
        all
          .filter(file => file.path !== made.path)
          .map(file => (file.path === old.path ? made : file))
      );
      clear('files');
    }
  };

  const send = async (): Promise<void> => {
    const found = findProblems(files, form, limits, words);
    setRefused(false);
    setProblems(found);
    if (found.length > 0) {
      return;
    }
    setSending(true);
    props.setBusy(true);
    try {
      setSent(await props.send(files, form));
    } catch (error) {
      setRefused(true);
      setProblems([problemOf(error, words)]);
    } finally {
      setSending(false);
      props.setBusy(false);
    }
  };

  if (sent) {
    return (
      <Sent
        words={words}
        titleId="vtr-form-title"
        submission={sent}
        close={props.close}
        showSubmissions={props.showSubmissions}
      />
    );
  }
  const general = problemAt(null);
  return (
    <form
      className="vtr-Form"
      ref={root}
      noValidate
      aria-busy={sending}
      onSubmit={event => {
        event.preventDefault();
        void send();
      }}
    >
      <h2 className="vtr-Form-title" id="vtr-form-title">
        {props.replaces === null
          ? words.formTitle
          : words.formTitleAgain(props.replaces)}
      </h2>
      <div className="vtr-Form-body">
        <p className="vtr-Form-intro">
          {props.replaces === null
            ? words.formIntro
            : words.formIntroAgain(props.replaces)}
        </p>
        {refused && (
          <div className="vtr-Form-summary" role="alert" tabIndex={-1}>
            <strong>{words.errorSummary}</strong> {general}
          </div>
        )}
        <Files
          id={`${id}-files`}
          words={words}
          files={files}
          limits={limits}
          problem={problemAt('files')}
          disabled={sending}
          add={() => void add()}
          remove={path => {
            setFiles(old => old.filter(file => file.path !== path));
            clear('files');
          }}
        />
        <Advice
          words={words}
          paths={files.map(file => file.path)}
          disabled={sending}
          precheck={save => props.precheck(files, form, save)}
          mend={mend}
        />
        {FORM_FIELDS.map(name => (
          <Field
            key={name}
            id={`${id}-${name}`}
            name={name}
            words={words}
            value={form[name]}
            problem={problemAt(name)}
            disabled={sending}
            onChange={value => {
              setForm(old => ({ ...old, [name]: value }));
              clear(name);
            }}
          />
        ))}
      </div>
      <div className="vtr-Form-footer">
        <div className="vtr-Form-progress" role="status">
          {sending && (
            <>
              <progress aria-hidden="true" />
              <span>
                {words.sending(files.length, words.size(totalSize(files)))}
              </span>
            </>
          )}
        </div>
        <button
          type="button"
          className="vtr-Button"
          disabled={sending}
          onClick={props.close}
        >
          {words.cancel}
        </button>
        <button
          type="submit"
          className="vtr-Button vtr-mod-accept vtr-Form-submit"
          disabled={sending}
        >
          {words.send}
        </button>
      </div>
    </form>
  );
}
