/**
 * What the plugins of this extension offer to each other.
 */
import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';
import type {
  ApiError,
  IPrecheck,
  ISession,
  ISubmission,
  ISubmissionForm,
  Mending,
  SubmissionApi
} from './api';
import type { IMessages } from './messages';

/** The catalogue in the reader's language. */
export const IWords = new Token<IMessages>(
  'vitrine-output-check:IWords',
  'Everything the output check says, in the reader’s language.'
);

/** The calls to the desk's server. */
export const ISubmissionApi = new Token<SubmissionApi>(
  'vitrine-output-check:ISubmissionApi',
  'The calls for sessions and submissions.'
);

/** The session of this desk, kept fresh. */
export interface IDeskSession {
  /** The session, or null while it is not known. */
  readonly session: ISession | null;
  /** Whether the last attempt to read it failed. */
  readonly failed: boolean;
  /** Milliseconds left by the server's clock; null while not known; never negative. */
  timeLeft(): number | null;
  /** Read it again now. */
  refresh(): Promise<void>;
  /** The session or `failed` changed. */
  readonly changed: ISignal<IDeskSession, void>;
}

/** The session of this desk. */
export const IDeskSession = new Token<IDeskSession>(
  'vitrine-output-check:IDeskSession',
  'The project, tier, limits and end of this desk.'
);

/** A submission whose state changed since the list was last read. */
export interface IStateChange {
  submission: ISubmission;
  before: string;
}

/** Her submissions, kept fresh. */
export interface ISubmissions {
  /** Newest first; null until they were read once. */
  readonly all: readonly ISubmission[] | null;
  /** Why the last reading failed, or null. */
  readonly error: ApiError | null;
  /** Read them again now. */
  refresh(): Promise<void>;
  /** Have files looked over before they are submitted. Rejects with ApiError. */
  precheck(paths: string[], form: ISubmissionForm): Promise<IPrecheck>;
  /** Mend a declared table; the path of the new file. Rejects with ApiError. */
  mend(path: string, remedy: Mending): Promise<string>;
  /** Submit files; the list follows. Rejects with ApiError. */
  submit(paths: string[], form: ISubmissionForm): Promise<ISubmission>;
  /** Withdraw a submission; the list follows. Rejects with ApiError. */
  withdraw(id: string): Promise<ISubmission>;
  /** The list or `error` changed. */
  readonly changed: ISignal<ISubmissions, void>;
  /** A submission went from one state to another. */
  readonly stateChanged: ISignal<ISubmissions, IStateChange>;
}

/** Her submissions of this project. */
export const ISubmissions = new Token<ISubmissions>(
  'vitrine-output-check:ISubmissions',
  'The submissions of this project.'
);

/** Opens the form. */
export interface ISubmissionDesk {
  /**
   * Open the form.
   *
   * @param paths - files to begin with, relative to the server's root
   * @param supersedes - the returned submission that this one replaces
   */
  open(paths: readonly string[], supersedes?: ISubmission): Promise<void>;
}

/** Opens the form. */
export const ISubmissionDesk = new Token<ISubmissionDesk>(
  'vitrine-output-check:ISubmissionDesk',
  'Opens the form to submit files for output check.'
);

/** Command ids of this extension. */
export const CommandIDs = {
  /** Args: `from`: browser | document | tab | any; or `paths`: string[]. */
  submit: 'vitrine-output-check:submit',
  showPanel: 'vitrine-output-check:show-submissions'
} as const;
