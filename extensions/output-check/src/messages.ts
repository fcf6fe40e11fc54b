/**
 * Everything this extension says, in French and in English.
 */
import { english } from './messages.en';
import { french } from './messages.fr';
import type { FormField, LocalCode } from './api';
import type { IDuration } from './timeleft';

/** The languages there are. */
export type Language = 'fr' | 'en';

/** A label and the line that explains it. */
export interface ILabelled {
  label: string;
  hint: string;
}

/** The catalogue: plain sentences, or functions where something is counted or named. */
export interface IMessages {
  language: Language;

  // Commands
  submit: string;
  submitShort: string;
  submitCaption: string;
  showPanel: string;
  category: string;

  // The way out that was asked for is closed
  linkRefused: string;
  printRefused: string;

  // Banner
  bannerName: string;
  project: string;
  tierName: (tier: string) => string;
  tierExplanation: (tier: string) => string;
  /** Accessible name of the button that shows the explanation. */
  tierLabel: (tier: string) => string;
  timeLeftLabel: string;
  timeLeft: (left: IDuration) => string;
  timeLeftTitle: (end: string) => string;
  timeLeftSpoken: (left: IDuration) => string;
  ended: string;
  endedTitle: string;
  sessionUnknown: string;

  // Form
  formTitle: string;
  formTitleAgain: (number: number) => string;
  formIntro: string;
  formIntroAgain: (number: number) => string;
  files: string;
  filesLimits: (files: number, bytes: string, types: string) => string;
  filesNone: string;
  filesTotal: (files: number, bytes: string) => string;
  addFiles: string;
  chooseFiles: string;
  removeFile: (name: string) => string;
  unsaved: string;
  sizeUnknown: string;
  required: string;
  fields: Record<FormField, ILabelled>;
  /** What is said of the files before they are sent. */
  advice: string;
  adviceNone: string;
  adviceAsking: string;
  adviceAgain: string;
  adviceFailed: string;
  declared: string;
  remedies: string;
  /** On a button that writes a new, mended file. */
  mend: string;
  mendAs: (remedy: string) => string;
  mendFailed: string;
  copy: string;
  copyCall: (call: string) => string;
  callCopied: string;
  inPython: string;
  inR: string;
  send: string;
  cancel: string;
  close: string;
  sending: (files: number, bytes: string) => string;
  sent: (number: number) => string;
  sentBody: string;
  seeSubmissions: string;
  errorSummary: string;
  errors: Record<LocalCode, string>;
  whatMissing: string;
  contextMissing: (label: string) => string;
  filesMissing: string;
  tooManyFiles: (limit: number) => string;
  tooLarge: (limit: string) => string;
  emptyFile: (name: string) => string;
  typeRefused: (name: string, types: string) => string;
  saveFailed: (name: string) => string;
  onlyFolders: string;

  // Panel
  panelTitle: string;
  panelName: string;
  empty: string;
  emptyHow: string;
  loading: string;
  panelError: string;
  retry: string;
  stale: string;
  number: (number: number) => string;
  state: (state: string) => string;
  stateHint: (state: string) => string;
  submittedAt: string;
  replaces: (number: number) => string;
  replacedBy: (number: number) => string;
  replacesUnknown: string;
  replacedByUnknown: string;
  comments: string;
  decision: (decision: string) => string;
  withdraw: string;
  withdrawTitle: (number: number) => string;
  withdrawBody: string;
  withdrawConfirm: string;
  withdrawn: (number: number) => string;
  resubmit: string;
  download: string;
  downloadHow: string;
  copyAddress: string;
  addressCopied: string;
  stateChanged: (number: number, state: string) => string;

  /** A size in bytes, such as "1.2 MB". */
  size: (bytes: number) => string;
  /** A moment, in the reader's zone. */
  moment: (iso: string) => string;
}

const CATALOGUES: Record<Language, IMessages> = { fr: french, en: english };

/**
 * The language to speak.
 *
 * @param labLocale - the language chosen in JupyterLab's settings, such as
 * `fr_FR`; `default` or empty when none was chosen
 * @param browserLanguages - what the browser asks for, best first
 */
export function chooseLanguage(
  labLocale: string,
  browserLanguages: readonly string[]
): Language {
  const chosen = labLocale === 'default' ? '' : labLocale;
  const wanted = chosen ? [chosen] : browserLanguages;
  for (const language of wanted) {
    const main = language.toLowerCase().split(/[-_]/)[0];
    if (main === 'fr' || main === 'en') {
      return main;
    }
  }
  return 'en';
}

/** The catalogue of a language. */
export function messagesIn(language: Language): IMessages {
  return CATALOGUES[language];
}
