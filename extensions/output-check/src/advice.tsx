/**
 * What the files lack, shown in the form before they are sent. Courtesy: it
 * stops nothing, and the checkers see more.
 */
import React, { useEffect, useRef, useState } from 'react';
import {
  ApiError,
  type IAdvice,
  type IPrecheck,
  type IPrecheckedFile,
  type IRemedy
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

function Remedy(props: { remedy: IRemedy; words: IMessages }): JSX.Element {
  const { remedy, words } = props;
  const calls: [string, string][] = [
    [words.inPython, remedy.python],
    [words.inR, remedy.r]
  ];
  return (
    <li>
      {remedy.text}
      {calls
        .filter(([, call]) => call !== '')
        .map(([name, call]) => (
          <div key={name} className="vtr-Advice-call">
            {name} <code>{call}</code>
          </div>
        ))}
    </li>
  );
}

function Finding(props: { finding: IAdvice; words: IMessages }): JSX.Element {
  const { finding, words } = props;
  return (
    <li className="vtr-Advice-finding" data-vtr-rule={finding.rule}>
      {finding.message}
      {finding.remedies.length > 0 && (
        <details>
          <summary>{words.remedies}</summary>
          <ul>
            {finding.remedies.map((remedy, index) => (
              <Remedy key={index} remedy={remedy} words={words} />
            ))}
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
              <Finding key={index} finding={finding} words={words} />
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
          <Answer answer={answer} asked={asked} words={words} />
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
