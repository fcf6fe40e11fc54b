/**
 * The session of this desk, read again each minute.
 */
import { Poll } from '@lumino/polling';
import { Signal, type ISignal } from '@lumino/signaling';
import type { IDisposable } from '@lumino/disposable';
import type { ISession, SubmissionApi } from './api';
import type { IDeskSession } from './tokens';

const EVERY = 60_000;
const SLOWEST = 120_000;

/** Keeps the session and the difference between the server's clock and this one. */
export class DeskSession implements IDeskSession, IDisposable {
  constructor(private readonly _api: SubmissionApi) {
    this._poll = new Poll({
      name: 'vitrine-output-check:session',
      factory: () => this._read(),
      frequency: { interval: EVERY, backoff: true, max: SLOWEST },
      standby: 'never'
    });
  }

  get session(): ISession | null {
    return this._session;
  }

  get failed(): boolean {
    return this._failed;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  timeLeft(): number | null {
    if (this._session === null) {
      return null;
    }
    const now = Date.now() + this._ahead;
    return Math.max(0, Date.parse(this._session.ends_at) - now);
  }

  async refresh(): Promise<void> {
    await this._poll.refresh();
    await this._poll.tick;
  }

  dispose(): void {
    this._poll.dispose();
    Signal.clearData(this);
  }

  private async _read(): Promise<void> {
    try {
      const session = await this._api.session();
      const ahead = Date.parse(session.now) - Date.now();
      // A clock that cannot be read would show a wrong time left: keep the browser's.
      this._ahead = Number.isNaN(ahead) ? 0 : ahead;
      this._session = session;
      this._failed = false;
    } catch (error) {
      this._failed = true;
      this._changed.emit();
      throw error;
    }
    this._changed.emit();
  }

  private readonly _poll: Poll;
  private _session: ISession | null = null;
  private _ahead = 0;
  private _failed = false;
  private readonly _changed = new Signal<this, void>(this);
}
