/**
 * The desk's server, as this extension sees it: the calls under `vitrine/`.
 */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

/** What may be submitted: sizes in bytes, all files of one submission together. */
export interface ILimits {
  max_bytes: number;
  max_files: number;
  /** Accepted file name endings, with their dot, in lower case. */
  types: string[];
}

/** The session this desk belongs to. Times are ISO 8601 with offset. */
export interface ISession {
  project: { slug: string; title: string };
  person: { username: string; name: string };
  tier: string;
  ends_at: string;
  now: string;
  limits: ILimits;
  /** Path of the portal on this site, such as `/services/portal/`. */
  portal_url: string;
}

/** A frozen file of a submission. */
export interface ISubmittedFile {
  name: string;
  size: number;
  sha256: string;
}

/** A comment of the review, without the checker's name. */
export interface IComment {
  text: string;
  at: string;
  decision: string;
}

/** One submission and where it stands. */
export interface ISubmission {
  id: string;
  number: number;
  what: string;
  state: string;
  submitted_at: string;
  supersedes: string | null;
  superseded_by: string | null;
  files: ISubmittedFile[];
  comments: IComment[];
}

/** What the desk can do by itself with a declared table. */
export const MENDINGS = [
  'suppress',
  'round',
  'merge',
  'drop_extremes'
] as const;

/** The name of a way to mend a declared table. */
export type Mending = (typeof MENDINGS)[number];

/**
 * A way to mend something, with the call that does it; an empty one is none.
 * `act` is a `Mending`, or something else that this version cannot do.
 */
export interface IRemedy {
  text: string;
  python: string;
  r: string;
  act?: string;
}

/** One thing to mend before submitting. */
export interface IAdvice {
  rule: string;
  message: string;
  remedies: IRemedy[];
}

/** What is said of one file. */
export interface IPrecheckedFile {
  name: string;
  /** Whether its declaration lies beside it. */
  declared: boolean;
  findings: IAdvice[];
}

/** What is said before submitting. */
export interface IPrecheck {
  files: IPrecheckedFile[];
  /** How many more files may be looked over within the hour. */
  left: number;
}

/** What the researcher writes about the files. */
export interface ISubmissionForm {
  what: string;
  population: string;
  variables: string;
  counts: string;
  purpose: string;
  note: string;
  /** The returned submission this one replaces. */
  supersedes: string | null;
}

/** The names of the text fields, in the order of the form. */
export const FORM_FIELDS = [
  'what',
  'population',
  'variables',
  'counts',
  'purpose',
  'note'
] as const;

/** The fields without which no checker can approve. */
export const CONTEXT_FIELDS: readonly (typeof FORM_FIELDS)[number][] = [
  'what',
  'population',
  'variables',
  'counts',
  'purpose'
];

/** The name of a text field of the form. */
export type FormField = (typeof FORM_FIELDS)[number];

/** What a refusal can point at: a text field, or the list of files. */
export type ErrorField = FormField | 'files';

/** Codes of errors that begin here, and not at the server. */
export type LocalCode = 'unreachable' | 'unexpected';

/**
 * A call that was refused or that failed.
 *
 * `message` is the server's own sentence, or empty when the server said
 * nothing usable (`code` is then a `LocalCode`).
 */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly field: string | null,
    readonly status: number
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Read the body of a refusal: `{"error": {"code", "message", "field"}}`. */
export function readError(status: number, body: unknown): ApiError {
  const error = isRecord(body) ? body['error'] : undefined;
  if (isRecord(error) && typeof error['code'] === 'string') {
    const message = error['message'];
    const field = error['field'];
    return new ApiError(
      error['code'],
      typeof message === 'string' ? message : '',
      typeof field === 'string' ? field : null,
      status
    );
  }
  return new ApiError('unexpected', '', null, status);
}

/**
 * Where in the form a refusal belongs: `form.what` → what; `files[0]` and
 * `paths[2]` → files. Null: it concerns the submission as a whole.
 */
export function fieldOf(error: ApiError): ErrorField | null {
  if (error.field === null) {
    return null;
  }
  const name = error.field.replace(/^form\./, '').replace(/\[\d+\].*$/, '');
  if (name === 'files' || name === 'file' || name === 'paths') {
    return 'files';
  }
  return FORM_FIELDS.find(field => field === name) ?? null;
}

/** The calls. Each rejects with ApiError and with nothing else. */
export class SubmissionApi {
  /**
   * @param settings - how to reach the desk's server
   * @param language - the language messages should come in
   */
  constructor(
    readonly settings: ServerConnection.ISettings,
    readonly language: string
  ) {}

  /** The session of this desk. */
  async session(): Promise<ISession> {
    const body = await this._call('session', 'GET');
    const known =
      isRecord(body) &&
      isRecord(body['project']) &&
      isRecord(body['limits']) &&
      !Number.isNaN(Date.parse(String(body['ends_at'])));
    if (!known) {
      throw new ApiError('unexpected', '', null, 200);
    }
    return body as unknown as ISession;
  }

  /** Her submissions of this project, newest first. */
  async submissions(): Promise<ISubmission[]> {
    const body = await this._call('submissions', 'GET');
    if (!isRecord(body) || !Array.isArray(body['submissions'])) {
      throw new ApiError('unexpected', '', null, 200);
    }
    return body['submissions'] as ISubmission[];
  }

  /**
   * Submit files.
   *
   * @param paths - relative to the root of the desk's server
   */
  async submit(paths: string[], form: ISubmissionForm): Promise<ISubmission> {
    const body = JSON.stringify({ paths, form });
    return (await this._call('submissions', 'POST', body)) as ISubmission;
  }

  /**
   * Have files looked over; nothing of them is kept, and the form may be empty.
   *
   * @param paths - relative to the root of the desk's server
   */
  async precheck(paths: string[], form: ISubmissionForm): Promise<IPrecheck> {
    const body = JSON.stringify({ paths, form });
    const answer = await this._call('prechecks', 'POST', body);
    if (!isPrecheck(answer)) {
      throw new ApiError('unexpected', '', null, 200);
    }
    return answer;
  }

  /**
   * Mend a declared table as a new file beside it.
   *
   * @param path - relative to the root of the desk's server
   * @returns the path of the new file
   */
  async mend(path: string, remedy: Mending): Promise<string> {
    const body = JSON.stringify({ path, remedy });
    const answer = await this._call('mendings', 'POST', body);
    if (!isRecord(answer) || typeof answer['path'] !== 'string') {
      throw new ApiError('unexpected', '', null, 201);
    }
    return answer['path'];
  }

  /** Withdraw one's own submission, while nobody has decided. */
  async withdraw(id: string): Promise<ISubmission> {
    const name = `submissions/${encodeURIComponent(id)}/withdraw`;
    return (await this._call(name, 'POST', '{}')) as ISubmission;
  }

  private async _call(
    name: string,
    method: string,
    body?: string
  ): Promise<unknown> {
    const url = URLExt.join(this.settings.baseUrl, 'vitrine', name);
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(
        url,
        { method, body, headers: { 'Accept-Language': this.language } },
        this.settings
      );
    } catch {
      throw new ApiError('unreachable', '', null, 0);
    }
    const parsed = await parseBody(response);
    if (!response.ok) {
      throw readError(response.status, parsed);
    }
    if (!isRecord(parsed)) {
      throw new ApiError('unexpected', '', null, response.status);
    }
    return parsed;
  }
}

function isAdvice(value: unknown): boolean {
  return (
    isRecord(value) &&
    typeof value['message'] === 'string' &&
    Array.isArray(value['remedies'])
  );
}

function isPrecheck(value: unknown): value is IPrecheck {
  return (
    isRecord(value) &&
    typeof value['left'] === 'number' &&
    Array.isArray(value['files']) &&
    value['files'].every(
      file =>
        isRecord(file) &&
        Array.isArray(file['findings']) &&
        file['findings'].every(isAdvice)
    )
  );
}

async function parseBody(response: Response): Promise<unknown> {
  try {
    return (await response.json()) as unknown;
  } catch {
    return null;
  }
}
