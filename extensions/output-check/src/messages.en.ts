/**
 * The English catalogue.
 */
import type { IMessages } from './messages';
import { twoDigits, type IDuration } from './timeleft';
import { wordMoment, wordSize } from './wording';

function count(value: number, one: string, many: string): string {
  return `${value}\u00a0${value === 1 ? one : many}`;
}

function timeLeft(left: IDuration): string {
  if (left.days > 0) {
    const days = count(left.days, 'day', 'days');
    return left.days < 3 ? `${days} ${left.hours}\u00a0h` : days;
  }
  if (left.hours > 0) {
    return `${left.hours}\u00a0h ${twoDigits(left.minutes)}\u00a0min`;
  }
  return `${twoDigits(left.minutes)}:${twoDigits(left.seconds)}`;
}

function timeLeftSpoken(left: IDuration): string {
  const parts: string[] = [];
  if (left.days > 0) {
    parts.push(count(left.days, 'day', 'days'));
  }
  if (left.hours > 0) {
    parts.push(count(left.hours, 'hour', 'hours'));
  }
  if (left.days === 0 && left.minutes > 0) {
    parts.push(count(left.minutes, 'minute', 'minutes'));
  }
  const text = parts.join(' ') || 'less than a minute';
  return `Time left before the project ends: ${text}.`;
}

const TIERS: Record<string, [string, string]> = {
  open: [
    'Open display',
    'Open: your browser receives JupyterLab itself. This is for public, synthetic or teaching data. Downloads are closed and whatever goes to the browser is counted, but a determined person can copy text from the screen.'
  ],
  sealed: [
    'Sealed display',
    'Sealed: your screen receives only a picture of the desk. Nothing can be copied to your computer.'
  ]
};

const STATES: Record<string, [string, string]> = {
  SUBMITTED: ['Submitted', 'Waiting for the output check.'],
  UNDER_REVIEW: ['Under review', 'The output checkers are reading it.'],
  RETURNED: ['Returned', 'Take the comment into account, then resubmit.'],
  APPROVED: ['Approved', 'The files are about to be released.'],
  REJECTED: ['Rejected', 'These files will not leave.'],
  RELEASED: ['Released', 'The files are waiting for you on the portal.'],
  WITHDRAWN: ['Withdrawn', 'You withdrew this submission.']
};

const DECISIONS: Record<string, string> = {
  approve: 'Approved',
  return: 'Returned',
  reject: 'Rejected'
};

/** English. */
export const english: IMessages = {
  language: 'en',

  submit: 'Submit for output check…',
  submitShort: 'Submit',
  submitCaption: 'Ask for files to leave the desk, after they are checked',
  showPanel: 'Output check: my submissions',
  category: 'Output check',

  linkRefused:
    'No file leaves the desk through a link. Submit it for output check.',
  printRefused:
    'Printing is closed on this desk. Submit the file for output check.',

  bannerName: 'Project and time left',
  project: 'Project',
  tierName: tier => TIERS[tier]?.[0] ?? `Display: ${tier}`,
  tierExplanation: tier => TIERS[tier]?.[1] ?? `Display tier: ${tier}.`,
  tierLabel: tier => `${TIERS[tier]?.[0] ?? tier}: what does this mean?`,
  timeLeftLabel: 'Time left:',
  timeLeft,
  timeLeftTitle: end => `The project ends on ${end}`,
  timeLeftSpoken,
  ended: 'The project has ended',
  endedTitle: 'The desk is closing. Your released files stay on the portal.',
  sessionUnknown: 'Project and time left: not available right now',

  formTitle: 'Submit for output check',
  formTitleAgain: number => `Resubmit (replaces no. ${number})`,
  formIntro:
    'Two people read these files before they leave. The more precise your description, the quicker the check.',
  formIntroAgain: number =>
    `This replaces no. ${number}, which was returned to you. Fields are filled in where they are known; check the files.`,
  files: 'Files',
  filesLimits: (files, bytes, types) =>
    `At most ${count(files, 'file', 'files')} and ${bytes} in all. Accepted types: ${types}.`,
  filesNone: 'No file chosen.',
  filesTotal: (files, bytes) =>
    `${count(files, 'file', 'files')}, ${bytes} in all`,
  addFiles: 'Add files…',
  chooseFiles: 'Choose the files to submit',
  removeFile: name => `Remove ${name} from the list`,
  unsaved: 'changed: will be saved before it is sent',
  sizeUnknown: 'size unknown',
  required: 'required',
  fields: {
    what: {
      label: 'What is it?',
      hint: 'What these files show, in a sentence or two. Example: table 2, mean wage by sector.'
    },
    population: {
      label: 'Population',
      hint: 'Who is counted, and who is not (filters, year).'
    },
    variables: {
      label: 'Variables',
      hint: 'The variables used, and how they were recoded.'
    },
    counts: {
      label: 'Unweighted counts',
      hint: 'The number of units behind each figure, or the file that has them.'
    },
    purpose: {
      label: 'Intended use',
      hint: 'Article, thesis, talk…'
    },
    note: {
      label: 'Note to the checkers',
      hint: 'Anything that helps them read.'
    }
  },
  advice: 'Before sending',
  adviceNone:
    'Nothing to say about these files. The people who check also compare them with the data.',
  adviceAsking: 'Reading the files…',
  adviceAgain: 'Check the files and the description',
  adviceFailed: 'The files could not be checked; you can submit them.',
  declared: 'declared: will be made again from the extract',
  remedies: 'What to do',
  mend: 'Write a new file',
  mendAs: remedy => `${remedy} Write a new file, which takes its place here`,
  mendFailed: 'The new file could not be written.',
  copy: 'Copy',
  copyCall: call => `Copy: ${call}`,
  callCopied: 'Copied',
  inPython: 'Python:',
  inR: 'R:',
  send: 'Submit',
  cancel: 'Cancel',
  close: 'Close',
  sending: (files, bytes) =>
    `Sending ${count(files, 'file', 'files')} (${bytes})…`,
  sent: number => `Submission no. ${number} received`,
  sentBody:
    'The files are frozen as they are. Follow their check in the panel “Output check”, on the right.',
  seeSubmissions: 'See my submissions',
  errorSummary: 'The submission was not sent.',
  errors: {
    unreachable:
      'The desk does not answer. Before you try again, look in the panel whether your request arrived.',
    unexpected:
      'Unexpected answer from the desk. Try again; if it happens again, tell the team that manages your data.'
  },
  whatMissing: 'Say in a sentence what it is.',
  contextMissing: label =>
    `Fill in “${label}”: without it no checker can approve.`,
  filesMissing: 'Choose at least one file.',
  tooManyFiles: limit => `Too many files: at most ${limit} in a submission.`,
  tooLarge: limit => `Too large: at most ${limit} for all files together.`,
  emptyFile: name => `The file ${name} is empty.`,
  typeRefused: (name, types) =>
    `The type of ${name} is not accepted. Accepted types: ${types}.`,
  saveFailed: name => `${name} could not be saved before sending.`,
  onlyFolders: 'A folder cannot be submitted: choose the files inside it.',

  panelTitle: 'Output check',
  panelName: 'My submissions for output check',
  empty: 'No submission for this project.',
  emptyHow:
    'To get a table, a figure or a notebook out: right-click the file, then “Submit for output check…”.',
  loading: 'Loading…',
  panelError: 'The list of submissions could not be read.',
  retry: 'Try again',
  stale: 'The list could not be refreshed; this is the last one known.',
  number: number => `No. ${number}`,
  state: state => STATES[state]?.[0] ?? state,
  stateHint: state => STATES[state]?.[1] ?? '',
  submittedAt: 'Submitted',
  replaces: number => `Replaces no. ${number}`,
  replacedBy: number => `Replaced by no. ${number}`,
  replacesUnknown: 'Replaces an earlier submission',
  replacedByUnknown: 'Replaced by a later submission',
  comments: 'Comments of the check',
  decision: decision => DECISIONS[decision.toLowerCase()] ?? decision,
  withdraw: 'Withdraw',
  withdrawTitle: number => `Withdraw submission no. ${number}?`,
  withdrawBody: 'It will not be checked. You can make a new one.',
  withdrawConfirm: 'Withdraw the submission',
  withdrawn: number => `Submission no. ${number} withdrawn.`,
  resubmit: 'Resubmit…',
  download: 'Download from the portal',
  downloadHow:
    'The portal opens in the place of the desk, which keeps running; your documents are saved first. Or copy this address into another tab:',
  copyAddress: 'Copy the address',
  addressCopied: 'Address copied',
  stateChanged: (number, state) =>
    `Submission no. ${number}: ${(STATES[state]?.[0] ?? state).toLowerCase()}.`,

  size: bytes => wordSize(bytes, 'en'),
  moment: iso => wordMoment(iso, 'en')
};
