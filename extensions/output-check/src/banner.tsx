/**
 * The banner above JupyterLab: project, display tier, time left.
 */
import { ReactWidget } from '@jupyterlab/ui-components';
import React, { useEffect, useId, useRef, useState } from 'react';
import type { ISession } from './api';
import { caseIcon } from './icons';
import type { IMessages } from './messages';
import {
  splitDuration,
  thresholdOf,
  urgencyOf,
  wholeMinutes
} from './timeleft';
import type { IDeskSession } from './tokens';

/** Often enough that seconds are shown in step. */
const TICK = 500;

/** Render again when the session changes. */
function useSession(desk: IDeskSession): ISession | null {
  const [, render] = useState(0);
  useEffect(() => {
    const update = (): void => render(count => count + 1);
    desk.changed.connect(update);
    return () => {
      desk.changed.disconnect(update);
    };
  }, [desk]);
  return desk.session;
}

function TimeLeft(props: {
  words: IMessages;
  desk: IDeskSession;
}): JSX.Element {
  const { words, desk } = props;
  const [left, setLeft] = useState(() => desk.timeLeft() ?? 0);
  const [spoken, setSpoken] = useState('');
  const threshold = useRef(thresholdOf(left));

  useEffect(() => {
    const tick = (): void => {
      const now = desk.timeLeft() ?? 0;
      setLeft(now);
      const reached = thresholdOf(now);
      if (reached !== threshold.current) {
        threshold.current = reached;
        setSpoken(
          now <= 0
            ? words.ended
            : words.timeLeftSpoken(splitDuration(wholeMinutes(now)))
        );
      }
    };
    const timer = window.setInterval(tick, TICK);
    tick();
    return () => window.clearInterval(timer);
  }, [desk, words]);

  const urgency = urgencyOf(left);
  const end = words.moment(desk.session?.ends_at ?? '');
  const ended = urgency === 'ended';
  return (
    <>
      <span
        className="vtr-Banner-time"
        role="timer"
        aria-live="off"
        data-testid="vtr-time-left"
        data-vtr-urgency={urgency}
        title={ended ? words.endedTitle : words.timeLeftTitle(end)}
      >
        {ended ? (
          words.ended
        ) : (
          <>
            <span className="vtr-Banner-timeLabel">{words.timeLeftLabel}</span>{' '}
            {words.timeLeft(splitDuration(left))}
          </>
        )}
      </span>
      <span className="vtr-Hidden" role="status" aria-live="polite">
        {spoken}
      </span>
    </>
  );
}

/** The tier, with its explanation on hover, and on a click or a key press. */
function Tier(props: { words: IMessages; tier: string }): JSX.Element {
  const { words, tier } = props;
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const note = useRef<HTMLDivElement>(null);
  const explanation = words.tierExplanation(tier);

  useEffect(() => {
    // React 18 has no property for these attributes.
    note.current?.setAttribute('popover', 'auto');
    button.current?.setAttribute('popovertarget', id);
  }, [id]);

  const place = (): void => {
    const box = button.current?.getBoundingClientRect();
    if (box && note.current) {
      note.current.style.top = `${box.bottom + 6}px`;
      note.current.style.right = `${Math.max(8, window.innerWidth - box.right)}px`;
    }
  };
  return (
    <>
      <button
        type="button"
        ref={button}
        className="vtr-Banner-tier"
        data-testid="vtr-tier"
        data-vtr-tier={tier}
        aria-label={words.tierLabel(tier)}
        title={explanation}
        onClick={place}
      >
        {words.tierName(tier)}
      </button>
      <div id={id} ref={note} className="vtr-Banner-note" role="note">
        {explanation}
      </div>
    </>
  );
}

function Banner(props: { words: IMessages; desk: IDeskSession }): JSX.Element {
  const { words, desk } = props;
  const session = useSession(desk);
  if (session === null) {
    return (
      <div className="vtr-Banner-row">
        <span className="vtr-Banner-unknown" role="status">
          {desk.failed ? words.sessionUnknown : words.loading}
        </span>
        {desk.failed && (
          <button
            type="button"
            className="vtr-Banner-retry"
            onClick={() => void desk.refresh()}
          >
            {words.retry}
          </button>
        )}
      </div>
    );
  }
  const { title, slug } = session.project;
  return (
    <div className="vtr-Banner-row">
      <caseIcon.react tag="span" className="vtr-Banner-icon" />
      <span className="vtr-Banner-project" title={`${title} (${slug})`}>
        <span className="vtr-Hidden">{words.project} </span>
        <span className="vtr-Banner-title" data-testid="vtr-project-title">
          {title}
        </span>
        <span className="vtr-Banner-slug">{slug}</span>
      </span>
      <Tier words={words} tier={session.tier} />
      <TimeLeft words={words} desk={desk} />
    </div>
  );
}

/** The banner, to be added to the area `header` of the shell. */
export class BannerWidget extends ReactWidget {
  constructor(
    private readonly _words: IMessages,
    private readonly _desk: IDeskSession
  ) {
    super();
    this.id = 'vitrine-output-check-banner';
    this.addClass('vtr-Banner');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', _words.bannerName);
    this.node.dataset['testid'] = 'vtr-banner';
  }

  protected override render(): JSX.Element {
    return <Banner words={this._words} desk={this._desk} />;
  }
}
