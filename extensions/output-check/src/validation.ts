/**
 * What can be said about a submission before it is sent. The portal decides;
 * this only spares a round trip.
 */
import {
  CONTEXT_FIELDS,
  type ErrorField,
  type ILimits,
  type ISubmissionForm
} from './api';
import type { IMessages } from './messages';

/** A file chosen to be submitted. */
export interface IChosenFile {
  /** Relative to the server's root. */
  path: string;
  name: string;
  /** Bytes, or null when not known. */
  size: number | null;
  /** Whether it is open with changes that are not saved. */
  unsaved: boolean;
}

/** A sentence by the field it is about; `null` stands for the whole submission. */
export interface IProblem {
  field: ErrorField | null;
  message: string;
}

/** Bytes of all files whose size is known. */
export function totalSize(files: readonly IChosenFile[]): number {
  return files.reduce((sum, file) => sum + (file.size ?? 0), 0);
}

/** The types as a reader lists them: ".csv, .txt". */
export function listTypes(types: readonly string[]): string {
  return types.join(', ');
}

function endingRefused(name: string, types: readonly string[]): boolean {
  const lower = name.toLowerCase();
  return types.length > 0 && !types.some(type => lower.endsWith(type));
}

function checkFiles(
  files: readonly IChosenFile[],
  limits: ILimits | null,
  words: IMessages
): string | null {
  if (files.length === 0) {
    return words.filesMissing;
  }
  // A file with unsaved changes has another size once it is saved.
  const empty = files.find(file => file.size === 0 && !file.unsaved);
  if (empty) {
    return words.emptyFile(empty.name);
  }
  if (limits === null) {
    return null;
  }
  if (files.length > limits.max_files) {
    return words.tooManyFiles(limits.max_files);
  }
  const refused = files.find(file => endingRefused(file.name, limits.types));
  if (refused) {
    return words.typeRefused(refused.name, listTypes(limits.types));
  }
  return totalSize(files) > limits.max_bytes
    ? words.tooLarge(words.size(limits.max_bytes))
    : null;
}

/** Problems in the order of the form; empty when it can be sent. */
export function findProblems(
  files: readonly IChosenFile[],
  form: ISubmissionForm,
  limits: ILimits | null,
  words: IMessages
): IProblem[] {
  const problems: IProblem[] = [];
  const aboutFiles = checkFiles(files, limits, words);
  if (aboutFiles !== null) {
    problems.push({ field: 'files', message: aboutFiles });
  }
  for (const field of CONTEXT_FIELDS) {
    if (form[field].trim() === '') {
      const { label } = words.fields[field];
      const message =
        field === 'what' ? words.whatMissing : words.contextMissing(label);
      problems.push({ field, message });
    }
  }
  return problems;
}
