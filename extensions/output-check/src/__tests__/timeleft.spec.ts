import { messagesIn } from '../messages';
import {
  splitDuration,
  thresholdOf,
  urgencyOf,
  wholeMinutes
} from '../timeleft';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NB = '\u00a0';

describe('time left', () => {
  it.each([
    [12 * DAY + 3 * HOUR, `12${NB}jours`, `12${NB}days`],
    [2 * DAY + 5 * HOUR, `2${NB}jours 5${NB}h`, `2${NB}days 5${NB}h`],
    [DAY, `1${NB}jour 0${NB}h`, `1${NB}day 0${NB}h`],
    [DAY - SECOND, `23${NB}h 59${NB}min`, `23${NB}h 59${NB}min`],
    [HOUR, `1${NB}h 00${NB}min`, `1${NB}h 00${NB}min`],
    [HOUR - 1, '59:59', '59:59'],
    [65 * SECOND, '01:05', '01:05'],
    [999, '00:00', '00:00'],
    [-5 * DAY, '00:00', '00:00']
  ])('of %d ms is worded', (left, french, english) => {
    expect(messagesIn('fr').timeLeft(splitDuration(left))).toBe(french);
    expect(messagesIn('en').timeLeft(splitDuration(left))).toBe(english);
  });

  it.each([
    [DAY, 'calm'],
    [HOUR, 'calm'],
    [HOUR - 1, 'warning'],
    [5 * MINUTE, 'warning'],
    [5 * MINUTE - 1, 'critical'],
    [1, 'critical'],
    [0, 'ended'],
    [-1, 'ended']
  ])('of %d ms is %s', (left, urgency) => {
    expect(urgencyOf(left)).toBe(urgency);
  });

  it.each([
    [2 * DAY, null],
    [DAY, DAY],
    [HOUR + 1, DAY],
    [HOUR, HOUR],
    [15 * MINUTE, 15 * MINUTE],
    [4 * MINUTE, 5 * MINUTE],
    [30 * SECOND, MINUTE],
    [0, 0]
  ])('of %d ms has reached %s', (left, threshold) => {
    expect(thresholdOf(left)).toBe(threshold);
  });

  it('is spoken few times in the last hour, not each second', () => {
    const said = new Set<number | null>();
    for (let left = HOUR; left >= 0; left -= SECOND) {
      said.add(thresholdOf(left));
    }
    expect(said.size).toBe(5);
  });

  it('is spoken in whole minutes, rounded up', () => {
    const words = messagesIn('en');
    const left = splitDuration(wholeMinutes(5 * MINUTE - 200));
    expect(words.timeLeftSpoken(left)).toContain(`5${NB}minutes`);
  });
});
