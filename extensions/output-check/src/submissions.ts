/**
 * Her submissions, read again every 15 seconds while the page is seen.
 */
import { Poll } from '@lumino/polling';
import { Signal, type ISignal } from '@lumino/signaling';
import type { IDisposable } from '@lumino/disposable';
import {
  ApiError,
  type IPrecheck,
  type ISubmission,
  type ISubmissionForm,
  type Mending,
  type SubmissionApi
} from './api';
import type { IStateChange, ISubmissions } from './tokens';

const EVERY = 15_000;
const SLOWEST = 60_000;

/** States from which one's own submission can still be withdrawn. */
const WITHDRAWABLE: ReadonlySet<string> = new Set([
  'SUBMITTED',
  'UNDER_REVIEW'
]);

/** Whether a submission can be withdrawn. */
export function canWithdraw(submission: ISubmission): boolean {
  return WITHDRAWABLE.has(submission.state);
}

/** Whether a submission was returned and nothing has replaced it yet. */
export function canResubmit(submission: ISubmission): boolean {
  return submission.state === 'RETURNED' && submission.superseded_by === null;
}

/**
 * The submissions whose state differs between two readings. A submission that
 * was not in the first reading is new, and not a change.
 */
export function findChanges(
  before: readonly ISubmission[],
  after: readonly ISubmission[]
): IStateChange[] {
  const states = new Map(before.map(entry => [entry.id, entry.state]));
  const changes: IStateChange[] = [];
  for (const submission of after) {
    const state = states.get(submission.id);
    if (state !== undefined && state !== submission.state) {
      changes.push({ submission, before: state });
    }
  }
  return changes;
}

/** Where a release waits: an absolute address on the portal. */
export function portalAddress(
  portalUrl: string,
  id: string,
  origin: string
): string {
  const base = new URL(portalUrl.replace(/\/*$/, '/'), origin);
  return new URL(`submissions/${encodeURIComponent(id)}`, base).href;
}

/** Keeps the list. */
export class Submissions implements ISubmissions, IDisposable {
  constructor(private readonly _api: SubmissionApi) {
    this._poll = new Poll({
      name: 'vitrine-output-check:submissions',
      factory: () => this._read(),
      frequency: { interval: EVERY, backoff: true, max: SLOWEST },
      standby: 'when-hidden'
    });
  }

  get all(): readonly ISubmission[] | null {
    return this._all;
  }

  get error(): ApiError | null {
    return this._error;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get stateChanged(): ISignal<this, IStateChange> {
    return this._stateChanged;
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  async refresh(): Promise<void> {
    await this._poll.refresh();
  }

  async precheck(paths: string[], form: ISubmissionForm): Promise<IPrecheck> {
    return this._api.precheck(paths, form);
  }

  async mend(path: string, remedy: Mending): Promise<string> {
    return this._api.mend(path, remedy);
  }

  async submit(paths: string[], form: ISubmissionForm): Promise<ISubmission> {
    const submission = await this._api.submit(paths, form);
    void this.refresh();
    return submission;
  }

  async withdraw(id: string): Promise<ISubmission> {
    try {
      const submission = await this._api.withdraw(id);
      this._replace(submission);
      return submission;
    } finally {
      // Refused most often means: it was decided meanwhile. Show that.
      void this.refresh();
    }
  }

  dispose(): void {
    this._poll.dispose();
    Signal.clearData(this);
  }

  private _replace(submission: ISubmission): void {
    if (this._all === null) {
      return;
    }
    this._all = this._all.map(entry =>
      entry.id === submission.id ? submission : entry
    );
    this._changed.emit();
  }

  private async _read(): Promise<void> {
    let all: ISubmission[];
    try {
      all = await this._api.submissions();
    } catch (error) {
      this._error =
        error instanceof ApiError
          ? error
          : new ApiError('unexpected', '', null, 0);
      this._changed.emit();
      throw error;
    }
    const changes = findChanges(this._all ?? [], all);
    this._all = all;
    this._error = null;
    this._changed.emit();
    for (const change of changes) {
      this._stateChanged.emit(change);
    }
  }

  private readonly _poll: Poll;
  private _all: readonly ISubmission[] | null = null;
  private _error: ApiError | null = null;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _stateChanged = new Signal<this, IStateChange>(this);
}
