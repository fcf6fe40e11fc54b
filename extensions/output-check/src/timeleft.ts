/**
 * How the time left of a project is worded, and when it is said aloud.
 */

/** How pressing the time left is: it chooses the look of the banner. */
export type Urgency = 'calm' | 'warning' | 'critical' | 'ended';

/** The parts of a duration, whole numbers, rounded down; never negative. */
export interface IDuration {
  days: number;
  hours: number;
  minutes: number;
  seconds: number;
}

/** Moments at which a screen reader is told, in milliseconds before the end, latest first. */
export const THRESHOLDS: readonly number[] = [
  24 * 3600_000,
  3600_000,
  15 * 60_000,
  5 * 60_000,
  60_000,
  0
];

const WARNING = 3600_000;
const CRITICAL = 5 * 60_000;

/** Split `milliseconds` into days, hours, minutes and seconds. */
export function splitDuration(milliseconds: number): IDuration {
  const total = Math.max(0, Math.floor(milliseconds / 1000));
  return {
    days: Math.floor(total / 86400),
    hours: Math.floor(total / 3600) % 24,
    minutes: Math.floor(total / 60) % 60,
    seconds: total % 60
  };
}

/** The urgency of `milliseconds` left: under an hour warns, under five minutes is critical. */
export function urgencyOf(milliseconds: number): Urgency {
  if (milliseconds <= 0) {
    return 'ended';
  }
  if (milliseconds < CRITICAL) {
    return 'critical';
  }
  return milliseconds < WARNING ? 'warning' : 'calm';
}

/**
 * The lowest threshold that `milliseconds` has reached, or null before the first.
 * The banner speaks when this changes, so that a screen reader hears a few
 * sentences a day and not one each second.
 */
export function thresholdOf(milliseconds: number): number | null {
  let reached: number | null = null;
  for (const threshold of THRESHOLDS) {
    if (milliseconds <= threshold) {
      reached = threshold;
    }
  }
  return reached;
}

/** `milliseconds` rounded up to whole minutes: what is said when a threshold is reached. */
export function wholeMinutes(milliseconds: number): number {
  return Math.ceil(milliseconds / 60_000) * 60_000;
}

/** Two digits, for minutes and seconds. */
export function twoDigits(value: number): string {
  return value.toString().padStart(2, '0');
}
