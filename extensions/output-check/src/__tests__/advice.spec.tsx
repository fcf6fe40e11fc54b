import React from 'react';
import { Advice, filesToMend, mendingOf } from '../advice';
import { ApiError, type IPrecheck, type Mending } from '../api';
import { messagesIn } from '../messages';

const ANSWER: IPrecheck = {
  left: 3,
  files: [
    {
      name: 'a.csv',
      declared: false,
      findings: [
        {
          rule: 'small_cells',
          message: 'Some cells.',
          remedies: [
            { text: 'Suppress.', python: 'vitrine.suppress(t)', r: '' },
            { text: 'Look <b>again</b>.', python: '', r: '' }
          ]
        },
        { rule: 'missing_context', message: 'Purpose?', remedies: [] }
      ]
    },
    { name: 'b.csv', declared: true, findings: [] },
    { name: 'c.csv', declared: false, findings: [] }
  ]
};

describe('what there is to say', () => {
  it('leaves out what the form lacks until she asks', () => {
    const rules = (asked: boolean): string[] =>
      filesToMend(ANSWER, asked).flatMap(file =>
        file.findings.map(finding => finding.rule)
      );
    expect(rules(false)).toEqual(['small_cells']);
    expect(rules(true)).toEqual(['small_cells', 'missing_context']);
  });

  it('names declared files, and no others without findings', () => {
    const names = filesToMend(ANSWER, false).map(file => file.name);
    expect(names).toEqual(['a.csv', 'b.csv']);
  });
});

interface IRoot {
  render: (element: JSX.Element) => void;
  unmount: () => void;
}

// React's own way to the page; its types are not among our packages.
const { createRoot } = jest.requireActual<{
  createRoot: (place: Element) => IRoot;
}>('react-dom/client');

/** Longer than the pause before files are looked over. */
function settle(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, 700));
}

describe('the advice in the form', () => {
  let root: IRoot;
  let place: HTMLElement;

  beforeEach(() => {
    place = document.body.appendChild(document.createElement('div'));
    root = createRoot(place);
  });

  afterEach(() => {
    root.unmount();
    place.remove();
  });

  async function show(
    paths: string[],
    precheck: (save: boolean) => Promise<IPrecheck>,
    mend: (name: string, mending: Mending) => Promise<void> = async () => {}
  ): Promise<void> {
    root.render(
      <Advice
        words={messagesIn('en')}
        paths={paths}
        disabled={false}
        precheck={precheck}
        mend={mend}
      />
    );
    await settle();
  }

  async function ask(): Promise<void> {
    place.querySelector<HTMLElement>('.vtr-Advice-again')?.click();
    await settle();
  }

  it('is not there without files', async () => {
    const precheck = jest.fn(async () => ANSWER);
    await show([], precheck);
    expect(place.textContent).toBe('');
    expect(precheck).not.toHaveBeenCalled();
  });

  it('looks the files over once, without saving, and shows the calls', async () => {
    const precheck = jest.fn(async () => ANSWER);
    await show(['a.csv', 'b.csv'], precheck);
    expect(precheck.mock.calls).toEqual([[false]]);
    expect(place.textContent).toContain('Some cells.');
    expect(place.querySelector('code')?.textContent).toBe(
      'vitrine.suppress(t)'
    );
    expect(place.textContent).toContain('Look <b>again</b>.');
    expect(place.textContent).not.toContain('Purpose?');
  });

  it('looks again when she asks, saves, and then says what the form lacks', async () => {
    const precheck = jest.fn(async () => ANSWER);
    await show(['a.csv'], precheck);
    await ask();
    expect(precheck.mock.calls).toEqual([[false], [true]]);
    expect(place.textContent).toContain('Purpose?');
  });

  it('is silent about a failure she did not ask for, and says one she did', async () => {
    const refused = async (): Promise<IPrecheck> => {
      throw new ApiError('too_many_prechecks', 'Later.', null, 409);
    };
    await show(['a.csv'], refused);
    expect(place.textContent).not.toContain('Later.');
    await ask();
    expect(place.textContent).toContain('Later.');
  });

  it('says so when there is nothing to say', async () => {
    await show(['c.csv'], async () => ({ left: 1, files: [] }));
    expect(place.textContent).toContain('Nothing to say about these files.');
  });

  const SMALL: IPrecheck = {
    left: 3,
    files: [
      {
        name: 'a.csv',
        declared: true,
        findings: [
          {
            rule: 'small_cells',
            message: 'Some cells.',
            remedies: [
              { text: 'Suppress.', python: 'p()', r: 'r()', act: 'suppress' },
              { text: 'Elsewhere.', python: 'e()', r: '', act: 'tomorrow' }
            ]
          }
        ]
      }
    ]
  };

  it('has a button for what the desk can do with a declared table', async () => {
    const mend = jest.fn(async () => {});
    await show(['a.csv'], async () => SMALL, mend);
    const buttons = place.querySelectorAll<HTMLElement>('.vtr-Advice-mend');
    expect([...buttons].map(button => button.dataset['vtrAct'])).toEqual([
      'suppress'
    ]);
    buttons[0].click();
    await settle();
    expect(mend.mock.calls).toEqual([['a.csv', 'suppress']]);
  });

  it('copies the call for anything else', async () => {
    const written: string[] = [];
    Object.defineProperty(navigator, 'clipboard', {
      configurable: true,
      value: { writeText: async (text: string) => void written.push(text) }
    });
    await show(['a.csv'], async () => ANSWER);
    expect(place.querySelector('.vtr-Advice-mend')).toBeNull();
    place.querySelector<HTMLElement>('.vtr-Advice-copy')?.click();
    await settle();
    expect(written).toEqual(['vitrine.suppress(t)']);
    expect(place.textContent).toContain('Copied');
  });

  it('says why a table could not be mended', async () => {
    await show(
      ['a.csv'],
      async () => SMALL,
      async () => {
        throw new ApiError('not_mended', 'No bands.', 'path', 422);
      }
    );
    place.querySelector<HTMLElement>('.vtr-Advice-mend')?.click();
    await settle();
    expect(place.textContent).toContain('No bands.');
    expect(place.textContent).toContain('Some cells.');
  });
});

describe('what the desk can do', () => {
  const remedy = { text: 'x', python: '', r: '' };
  it.each([
    ['suppress', true, 'suppress'],
    ['drop_extremes', true, 'drop_extremes'],
    ['suppress', false, null],
    ['tomorrow', true, null],
    [undefined, true, null]
  ])('%s, declared %j: %j', (act, declared, expected) => {
    const file = { name: 'a.csv', declared, findings: [] };
    expect(mendingOf({ ...remedy, act }, file)).toBe(expected);
  });
});
