/**
 * The side panel: her submissions, what became of them, what she can do.
 */
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import React, { useEffect, useRef, useState } from 'react';
import { ApiError, type ISubmission } from './api';
import { outboxIcon } from './icons';
import type { IMessages } from './messages';
import { canResubmit, canWithdraw, portalAddress } from './submissions';
import type { IDeskSession, ISubmissions } from './tokens';

/** What the panel is given. */
export interface IPanelOptions {
  words: IMessages;
  submissions: ISubmissions;
  desk: IDeskSession;
  /** Ask whether to withdraw. */
  confirmWithdraw: (submission: ISubmission) => Promise<boolean>;
  resubmit: (submission: ISubmission) => void;
  /** Open an address of the portal, outside the desk. */
  openPortal: (address: string) => void;
}

function Download(props: {
  words: IMessages;
  address: string;
  open: (address: string) => void;
}): JSX.Element {
  const { words, address } = props;
  const [copied, setCopied] = useState(false);
  const text = useRef<HTMLElement>(null);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(address);
      setCopied(true);
    } catch {
      // No clipboard here: select the address, for the keyboard to copy.
      const range = document.createRange();
      if (text.current) {
        range.selectNodeContents(text.current);
        window.getSelection()?.removeAllRanges();
        window.getSelection()?.addRange(range);
      }
    }
  };
  return (
    <div className="vtr-Submission-download">
      <a
        className="vtr-Button vtr-mod-accept"
        data-testid="vtr-download"
        href={address}
        target="_blank"
        rel="noreferrer"
        onClick={event => {
          event.preventDefault();
          props.open(address);
        }}
      >
        {words.download}
      </a>
      <p className="vtr-Submission-hint">{words.downloadHow}</p>
      <code className="vtr-Submission-address" ref={text} tabIndex={0}>
        {address}
      </code>
      <button
        type="button"
        className="vtr-Button vtr-mod-small"
        onClick={() => void copy()}
      >
        {copied ? words.addressCopied : words.copyAddress}
      </button>
    </div>
  );
}

function Comments(props: {
  words: IMessages;
  submission: ISubmission;
}): JSX.Element | null {
  const { words, submission } = props;
  const written = submission.comments.filter(comment => comment.text.trim());
  if (written.length === 0) {
    return null;
  }
  return (
    <section
      className="vtr-Submission-comments"
      aria-label={words.comments}
      data-testid="vtr-comments"
    >
      <h4>{words.comments}</h4>
      {written.map((comment, index) => (
        <blockquote key={index}>
          <p>{comment.text}</p>
          <footer>
            {words.decision(comment.decision)} · {words.moment(comment.at)}
          </footer>
        </blockquote>
      ))}
    </section>
  );
}

/** Which other submission this one replaces, or was replaced by. */
function Succession(props: {
  words: IMessages;
  submission: ISubmission;
  numbers: ReadonlyMap<string, number>;
}): JSX.Element | null {
  const { words, submission, numbers } = props;
  const lines: string[] = [];
  if (submission.supersedes !== null) {
    const number = numbers.get(submission.supersedes);
    lines.push(
      number === undefined ? words.replacesUnknown : words.replaces(number)
    );
  }
  if (submission.superseded_by !== null) {
    const number = numbers.get(submission.superseded_by);
    lines.push(
      number === undefined ? words.replacedByUnknown : words.replacedBy(number)
    );
  }
  return lines.length > 0 ? (
    <p className="vtr-Submission-hint">{lines.join(' · ')}</p>
  ) : null;
}

function Actions(props: {
  options: IPanelOptions;
  submission: ISubmission;
}): JSX.Element | null {
  const { options, submission } = props;
  const { words, submissions } = options;
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const withdraw = async (): Promise<void> => {
    if (!(await options.confirmWithdraw(submission))) {
      return;
    }
    setBusy(true);
    setProblem('');
    try {
      await submissions.withdraw(submission.id);
    } catch (error) {
      setProblem(wordError(error, words));
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      {problem && (
        <p className="vtr-Form-error" role="alert">
          {problem}
        </p>
      )}
      {(canWithdraw(submission) || canResubmit(submission)) && (
        <div className="vtr-Submission-actions">
          {canResubmit(submission) && (
            <button
              type="button"
              className="vtr-Button vtr-mod-accept"
              data-testid="vtr-resubmit"
              onClick={() => options.resubmit(submission)}
            >
              {words.resubmit}
            </button>
          )}
          {canWithdraw(submission) && (
            <button
              type="button"
              className="vtr-Button"
              data-testid="vtr-withdraw"
              disabled={busy}
              onClick={() => void withdraw()}
            >
              {words.withdraw}
            </button>
          )}
        </div>
      )}
    </>
  );
}

function wordError(error: unknown, words: IMessages): string {
  if (error instanceof ApiError) {
    const local =
      error.code === 'unreachable' ? words.errors.unreachable : null;
    return error.message || local || words.errors.unexpected;
  }
  return words.errors.unexpected;
}

function Submission(props: {
  options: IPanelOptions;
  submission: ISubmission;
  numbers: ReadonlyMap<string, number>;
}): JSX.Element {
  const { options, submission, numbers } = props;
  const { words, desk } = options;
  const portal = desk.session?.portal_url;
  const titleId = `vtr-submission-${submission.id}`;
  return (
    <li
      className="vtr-Submission"
      data-state={submission.state}
      data-vtr-id={submission.id}
      aria-labelledby={titleId}
    >
      <div className="vtr-Submission-head">
        <span className="vtr-Submission-number">
          {words.number(submission.number)}
        </span>
        <span className="vtr-Submission-state" data-testid="vtr-state">
          {words.state(submission.state)}
        </span>
      </div>
      <h3 className="vtr-Submission-what" id={titleId}>
        {submission.what}
      </h3>
      <p className="vtr-Submission-hint">
        {words.submittedAt}{' '}
        <time dateTime={submission.submitted_at}>
          {words.moment(submission.submitted_at)}
        </time>
        {'. '}
        {words.stateHint(submission.state)}
      </p>
      <Succession words={words} submission={submission} numbers={numbers} />
      <ul className="vtr-Submission-files" aria-label={words.files}>
        {submission.files.map(file => (
          <li key={file.name}>
            <span className="vtr-Form-fileName" title={`sha256 ${file.sha256}`}>
              {file.name}
            </span>
            <span className="vtr-Form-fileSize">{words.size(file.size)}</span>
          </li>
        ))}
      </ul>
      <Comments words={words} submission={submission} />
      {submission.state === 'RELEASED' && portal && (
        <Download
          words={words}
          address={portalAddress(portal, submission.id, window.location.origin)}
          open={options.openPortal}
        />
      )}
      <Actions options={options} submission={submission} />
    </li>
  );
}

function Failed(props: {
  options: IPanelOptions;
  error: ApiError;
  stale: boolean;
}): JSX.Element {
  const { words, submissions } = props.options;
  return (
    <div className="vtr-Panel-error" role="alert" data-testid="vtr-panel-error">
      <p>{props.stale ? words.stale : words.panelError}</p>
      {props.error.message && <p>{props.error.message}</p>}
      <button
        type="button"
        className="vtr-Button"
        onClick={() => void submissions.refresh()}
      >
        {words.retry}
      </button>
    </div>
  );
}

function List(props: { options: IPanelOptions }): JSX.Element {
  const { options } = props;
  const { words, submissions, desk } = options;
  const [, render] = useState(0);
  useEffect(() => {
    const update = (): void => render(count => count + 1);
    submissions.changed.connect(update);
    desk.changed.connect(update);
    return () => {
      submissions.changed.disconnect(update);
      desk.changed.disconnect(update);
    };
  }, [submissions, desk]);

  const { all, error } = submissions;
  const numbers = new Map(all?.map(entry => [entry.id, entry.number]) ?? []);
  return (
    <>
      <h2 className="vtr-Panel-title">{words.panelName}</h2>
      {error && <Failed options={options} error={error} stale={all !== null} />}
      {all === null && !error && (
        <p className="vtr-Panel-loading" role="status">
          {words.loading}
        </p>
      )}
      {all?.length === 0 && (
        <div className="vtr-Panel-empty" data-testid="vtr-panel-empty">
          <p>
            <strong>{words.empty}</strong>
          </p>
          <p>{words.emptyHow}</p>
        </div>
      )}
      {all && all.length > 0 && (
        <ul className="vtr-Panel-list">
          {all.map(submission => (
            <Submission
              key={submission.id}
              options={options}
              submission={submission}
              numbers={numbers}
            />
          ))}
        </ul>
      )}
    </>
  );
}

/** The panel, to be added to the area `right` of the shell. */
export class PanelWidget extends ReactWidget {
  constructor(private readonly _options: IPanelOptions) {
    super();
    const { words } = _options;
    this.id = 'vitrine-output-check-panel';
    this.addClass('vtr-Panel');
    this.title.icon = outboxIcon;
    this.title.caption = words.panelName;
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', words.panelTitle);
    this.node.dataset['testid'] = 'vtr-panel';
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    void this._options.submissions.refresh();
  }

  protected override render(): JSX.Element {
    return <List options={this._options} />;
  }
}
