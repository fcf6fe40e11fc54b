/**
 * What the files lack, shown in the form before they are sent. Courtesy: it
 * stops nothing, and the checkers see more.
 */
import React, { useEffect, useRef, useState } from 'react';
import {
  ApiError,
  MENDINGS,
  type IAdvice,
  type IPrecheck,
  type IPrecheckedFile,
  type IRemedy,
  type Mending
} from './api';
import type { IMessages } from './messages';

/** How long the list of files must stand still before it is looked over, in ms. */
const PAUSE = 400;

/** What the advice is given. */
export interface IAdviceProps {
  words: IMessages;
  /** Paths of the chosen files; a change has them looked over again. */
  paths: readonly string[];
  disabled: boolean;
  /** Look the files over; with `save`, open documents are saved first. */
  precheck: (save: boolean) => Promise<IPrecheck>;
  /** Mend the declared table of this name, as a new file in its place. */
  mend: (name: string, remedy: Mending) => Promise<void>;
}

/** What the desk itself can do about a file; null: she does it in a notebook. */
export function mendingOf(
  remedy: IRemedy,
  file: IPrecheckedFile
): Mending | null {
  const known = MENDINGS.find(mending => mending === remedy.act);
  return file.declared ? (known ?? null) : null;
}

/**
 * The files about which there is something to say. What the form lacks is left
 * out until she asks: its fields are still before her eyes.
 */
export function filesToMend(
  answer: IPrecheck,
  asked: boolean
): IPrecheckedFile[] {
  return answer.files
    .map(file => ({
      ...file,
      findings: file.findings.filter(
        finding => asked || finding.rule !== 'missing_context'
      )
    }))
    .filter(file => file.findings.length > 0 || file.declared);
}

/** A call, and a button that copies it where there is a clipboard. */
function Call(props: {
  name: string;
  call: string;
  words: IMessages;
}): JSX.Element {
  const { name, call, words } = props;
  const [copied, setCopied] = useState(false);
  const code = useRef<HTMLElement>(null);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(call);
      setCopied(true);
    } catch {
      // No clipboard here: select the call, for the keyboard to copy.
      if (code.current) {
        window.getSelection()?.selectAllChildren(code.current);
      }
    }
  };
  return (
    <div className="vtr-Advice-call">
      {name} <code ref={code}>{call}</code>{' '}
      <button
        type="button"
        className="vtr-Button vtr-mod-small vtr-Advice-copy"
        aria-label={words.copyCall(call)}
        onClick={() => void copy()}
      >
        {copied ? words.callCopied : words.copy}
      </button>
    </div>
  );
}

function Remedy(props: {
  remedy: IRemedy;
  words: IMessages;
  /** Do it; null: only a call in a notebook does. */
  mend: (() => void) | null;
}): JSX.Element {
  const { remedy, words, mend } = props;
  const calls: [string, string][] = [
    [words.inPython, remedy.python],
    [words.inR, remedy.r]
  ];
  return (
    <li>
      {remedy.text}{' '}
      {mend && (
        <button
          type="button"
          className="vtr-Button vtr-mod-small vtr-Advice-mend"
          data-vtr-act={remedy.act}
          aria-label={words.mendAs(remedy.text)}
          onClick={mend}
        >
          {words.mend}
        </button>
      )}
      {calls
        .filter(([, call]) => call !== '')
        .map(([name, call]) => (
          <Call key={name} name={name} call={call} words={words} />
        ))}
    </li>
  );
}

function Finding(props: {
  finding: IAdvice;
  file: IPrecheckedFile;
  words: IMessages;
  mend: (mending: Mending) => void;
}): JSX.Element {
  const { finding, file, words } = props;
  return (
    <li className="vtr-Advice-finding" data-vtr-rule={finding.rule}>
      {finding.message}
      {finding.remedies.length > 0 && (
        <details>
          <summary>{words.remedies}</summary>
          <ul>
            {finding.remedies.map((remedy, index) => {
              const mending = mendingOf(remedy, file);
              return (
                <Remedy
                  key={index}
                  remedy={remedy}
                  words={words}
                  mend={mending && (() => props.mend(mending))}
                />
              );
            })}
          </ul>
        </details>
      )}
    </li>
  );
}

function Answer(props: {
  answer: IPrecheck;
  asked: boolean;
  words: IMessages;
  mend: (name: string, mending: Mending) => void;
}): JSX.Element {
  const { answer, asked, words } = props;
  const files = filesToMend(answer, asked);
  const found = files.some(file => file.findings.length > 0);
  return (
    <>
      {!found && <p className="vtr-Form-hint">{words.adviceNone}</p>}
      {files.map(file => (
        <div key={file.name} className="vtr-Advice-file">
          <strong>{file.name}</strong>
          {file.declared && (
            <span className="vtr-Advice-declared">{words.declared}</span>
          )}
          <ul>
            {file.findings.map((finding, index) => (
              <Finding
                key={index}
                finding={finding}
                file={file}
                words={words}
                mend={mending => props.mend(file.name, mending)}
              />
            ))}
          </ul>
        </div>
      ))}
    </>
  );
}

/** Looks the files over when the list changes and when she asks. */
export function Advice(props: IAdviceProps): JSX.Element | null {
  const { words, paths, precheck } = props;
  const [answer, setAnswer] = useState<IPrecheck | null>(null);
  const [asked, setAsked] = useState(false);
  const [asking, setAsking] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const latest = useRef(0);

  const look = async (byHer: boolean): Promise<void> => {
    latest.current += 1;
    const mine = latest.current;
    setAsking(true);
    let found: IPrecheck | null = null;
    let said: string | null = null;
    try {
      found = await precheck(byHer);
    } catch (error) {
      // Not asked for: silence is better than a second voice about the files.
      const message = error instanceof ApiError ? error.message : '';
      said = byHer ? message || words.adviceFailed : null;
    }
    if (mine === latest.current) {
      setAnswer(found);
      setFailure(said);
      setAsked(byHer);
      setAsking(false);
    }
  };

  /** The list of files changes with the new file, which is looked over then. */
  const mend = async (name: string, mending: Mending): Promise<void> => {
    setAsking(true);
    setFailure(null);
    try {
      await props.mend(name, mending);
    } catch (error) {
      const message = error instanceof ApiError ? error.message : '';
      setFailure(message || words.mendFailed);
    }
    setAsking(false);
  };

  const list = paths.join('\n');
  useEffect(() => {
    setAnswer(null);
    if (list === '') {
      latest.current += 1;
      return;
    }
    const timer = window.setTimeout(() => void look(false), PAUSE);
    return () => window.clearTimeout(timer);
  }, [list]);

  if (list === '') {
    return null;
  }
  return (
    <section className="vtr-Form-field vtr-Advice" aria-label={words.advice}>
      <div className="vtr-Form-label">{words.advice}</div>
      <div role="status">
        {asking && <p className="vtr-Form-hint">{words.adviceAsking}</p>}
        {!asking && failure && <p className="vtr-Form-error">{failure}</p>}
        {!asking && answer && (
          <Answer
            answer={answer}
            asked={asked}
            words={words}
            mend={(name, mending) => void mend(name, mending)}
          />
        )}
      </div>
      <button
        type="button"
        className="vtr-Button vtr-Advice-again"
        disabled={props.disabled || asking}
        onClick={() => void look(true)}
      >
        {words.adviceAgain}
      </button>
    </section>
  );
}
