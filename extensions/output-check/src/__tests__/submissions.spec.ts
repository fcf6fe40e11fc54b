import type { ISubmission, ISubmissionForm } from '../api';
import { messagesIn } from '../messages';
import {
  canResubmit,
  canWithdraw,
  findChanges,
  portalAddress
} from '../submissions';
import { findProblems, type IChosenFile } from '../validation';

function submission(
  id: string,
  state: string,
  supersededBy: string | null = null
): ISubmission {
  return {
    id,
    number: 1,
    what: '',
    state,
    submitted_at: '2026-11-23T10:00:00+00:00',
    supersedes: null,
    superseded_by: supersededBy,
    files: [],
    comments: []
  };
}

describe('what she can do', () => {
  it.each([
    ['SUBMITTED', true, false],
    ['UNDER_REVIEW', true, false],
    ['RETURNED', false, true],
    ['APPROVED', false, false],
    ['REJECTED', false, false],
    ['RELEASED', false, false],
    ['WITHDRAWN', false, false],
    ['SOMETHING_NEW', false, false]
  ])('in %s: withdraw %s, resubmit %s', (state, withdraw, resubmit) => {
    expect(canWithdraw(submission('a', state))).toBe(withdraw);
    expect(canResubmit(submission('a', state))).toBe(resubmit);
  });

  it('is not to resubmit what was replaced', () => {
    expect(canResubmit(submission('a', 'RETURNED', 'b'))).toBe(false);
  });
});

describe('changes', () => {
  it('are states that differ; a new submission is none', () => {
    const before = [submission('a', 'SUBMITTED'), submission('b', 'SUBMITTED')];
    const after = [
      submission('c', 'SUBMITTED'),
      submission('a', 'RETURNED'),
      submission('b', 'SUBMITTED')
    ];
    expect(findChanges(before, after)).toEqual([
      { submission: after[1], before: 'SUBMITTED' }
    ]);
  });
});

describe('the portal', () => {
  it.each([
    ['/services/portal/', 'https://desk.test/services/portal/submissions/s1'],
    ['/services/portal', 'https://desk.test/services/portal/submissions/s1'],
    ['https://portal.test/', 'https://portal.test/submissions/s1']
  ])('at %s', (url, address) => {
    expect(portalAddress(url, 's1', 'https://desk.test')).toBe(address);
  });

  it('escapes the id', () => {
    expect(portalAddress('/p/', '../x', 'https://desk.test')).toBe(
      'https://desk.test/p/submissions/..%2Fx'
    );
  });
});

describe('problems found before sending', () => {
  const words = messagesIn('fr');
  const limits = { max_bytes: 1000, max_files: 2, types: ['.csv', '.png'] };
  const form: ISubmissionForm = {
    what: 'Tableau 2',
    population: 'Tous',
    variables: 'salaire',
    counts: '40 au moins',
    purpose: 'Article',
    note: '',
    supersedes: null
  };
  const file = (name: string, size: number | null): IChosenFile => ({
    path: `out/${name}`,
    name,
    size,
    unsaved: false
  });

  it.each<[string, IChosenFile[], string]>([
    ['no file', [], words.filesMissing],
    [
      'too many',
      [file('a.csv', 1), file('b.csv', 1), file('c.csv', 1)],
      words.tooManyFiles(2)
    ],
    ['an empty file', [file('a.csv', 0)], words.emptyFile('a.csv')],
    [
      'a type that is not listed',
      [file('a.csv', 1), file('b.rds', 1)],
      words.typeRefused('b.rds', '.csv, .png')
    ],
    [
      'no type at all',
      [file('csv', 1)],
      words.typeRefused('csv', '.csv, .png')
    ],
    [
      'too large together',
      [file('a.csv', 600), file('b.csv', 401)],
      words.tooLarge(words.size(1000))
    ]
  ])('%s', (_, files, message) => {
    expect(findProblems(files, form, limits, words)).toEqual([
      { field: 'files', message }
    ]);
  });

  it.each(['', '  ', '\n'])('nothing written (%j)', what => {
    const problems = findProblems(
      [file('a.csv', 1)],
      { ...form, what },
      limits,
      words
    );
    expect(problems).toEqual([{ field: 'what', message: words.whatMissing }]);
  });

  it.each(['population', 'variables', 'counts', 'purpose'] as const)(
    'no %s, without which nobody can approve',
    field => {
      const problems = findProblems(
        [file('a.csv', 1)],
        { ...form, [field]: ' ' },
        limits,
        words
      );
      const message = words.contextMissing(words.fields[field].label);
      expect(problems).toEqual([{ field, message }]);
    }
  );

  it.each<[string, IChosenFile[]]>([
    ['exactly at the limits', [file('a.csv', 600), file('b.PNG', 400)]],
    ['a size that is not known', [file('a.csv', null)]],
    ['empty until it is saved', [{ ...file('a.csv', 0), unsaved: true }]]
  ])('none: %s', (_, files) => {
    expect(findProblems(files, form, limits, words)).toEqual([]);
  });

  it('limits that are not known are left to the portal', () => {
    expect(findProblems([file('a.rds', 1e9)], form, null, words)).toEqual([]);
  });
});
