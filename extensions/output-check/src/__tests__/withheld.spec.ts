import { CommandRegistry } from '@lumino/commands';
import packageJson from '../../package.json';
import { goneCommand, guardCommands, guardWindow, wayOutAt } from '../guard';
import { isWayOut, WITHHELD_COMMANDS, WITHHELD_PLUGINS } from '../withheld';

describe('what is withheld', () => {
  it('is switched off in package.json, and nothing else is', () => {
    expect(packageJson.jupyterlab.disabledExtensions).toEqual([
      ...WITHHELD_PLUGINS
    ]);
  });

  it.each([
    'filebrowser:download',
    'filebrowser:copy-download-link',
    'filebrowser:open-browser-tab',
    'filebrowser:share-main',
    'docmanager:download',
    'docmanager:open-browser-tab',
    'notebook:export-to-format',
    'notebook:copy-to-clipboard',
    'apputils:print',
    'settingeditor:export',
    'workspace-ui:export',
    'apputils:license-report',
    'help:license-report'
  ])('holds the command %s', id => {
    expect(WITHHELD_COMMANDS.has(id)).toBe(true);
  });
});

describe('the guard of commands', () => {
  function guarded(): {
    commands: CommandRegistry;
    taken: string[];
    submitted: string[];
  } {
    const commands = new CommandRegistry();
    const taken: string[] = [];
    const submitted: string[] = [];
    guardCommands(commands, WITHHELD_COMMANDS, replacement =>
      replacement === 'gone'
        ? goneCommand()
        : { execute: () => void submitted.push(replacement) }
    );
    for (const id of [...WITHHELD_COMMANDS.keys(), 'notebook:run-cell']) {
      commands.addCommand(id, {
        label: 'Take it out',
        execute: () => void taken.push(id)
      });
    }
    return { commands, taken, submitted };
  }

  it('lets no withheld command run, whoever added it', async () => {
    const { commands, taken, submitted } = guarded();
    for (const [id, replacement] of WITHHELD_COMMANDS) {
      if (replacement === 'gone') {
        expect(commands.isVisible(id)).toBe(false);
        expect(commands.isEnabled(id)).toBe(false);
      }
      await commands.execute(id);
      expect(commands.label(id)).not.toBe('Take it out');
    }
    expect(taken).toEqual([]);
    expect(submitted.length).toBe(
      [...WITHHELD_COMMANDS.values()].filter(value => value !== 'gone').length
    );
  });

  it('leaves every other command alone', async () => {
    const { commands, taken } = guarded();
    await commands.execute('notebook:run-cell');
    expect(taken).toEqual(['notebook:run-cell']);
  });

  it('names a withheld command that was there before', () => {
    const commands = new CommandRegistry();
    commands.addCommand('apputils:print', { execute: () => undefined });
    const early = guardCommands(commands, WITHHELD_COMMANDS, goneCommand);
    expect(early).toEqual(['apputils:print']);
  });
});

describe('a link', () => {
  it.each([
    ['data:text/csv,a,b', false],
    ['DATA:text/csv,a,b', false],
    ['blob:http://desk.test/1234', false],
    ['/user/ana/cps-wages/files/table.csv', false],
    ['/user/ana/cps-wages/nbconvert/html/n.ipynb?download=true', false],
    ['/user/ana/cps-wages/view/n.html', false],
    ['anything', true]
  ])('to %s (download: %s) is a way out', (href, hasDownload) => {
    expect(isWayOut({ href, hasDownload })).toBe(true);
  });

  it.each(['#section', 'https://example.org/', '/services/portal/', ''])(
    'to %s is not',
    href => {
      expect(isWayOut({ href, hasDownload: false })).toBe(false);
    }
  );

  it('is found from what is inside it, also in SVG', () => {
    document.body.innerHTML =
      '<a download="x.csv" href="#"><b id="inside">x</b></a>' +
      '<svg><a xlink:href="data:,x"><circle id="circle"/></a></svg>' +
      '<a href="#s"><b id="plain">s</b></a>';
    expect(wayOutAt(document.getElementById('inside'))).not.toBeNull();
    expect(wayOutAt(document.getElementById('circle'))).not.toBeNull();
    expect(wayOutAt(document.getElementById('plain'))).toBeNull();
  });
});

describe('the guard of the window', () => {
  let links = 0;
  let prints = 0;

  beforeAll(() => {
    guardWindow(window, {
      refusedLink: () => {
        links += 1;
      },
      refusedPrint: () => {
        prints += 1;
      }
    });
  });

  beforeEach(() => {
    links = 0;
    prints = 0;
    document.body.innerHTML =
      '<img id="image"><a id="out" download href="data:,x">x</a>' +
      '<a id="link" href="#s">s</a><textarea id="text"></textarea>';
  });

  /** Send an event to a node; whether its default was prevented. */
  function sends(id: string, event: Event): boolean {
    document.getElementById(id)?.dispatchEvent(event);
    return event.defaultPrevented;
  }
  const options = { bubbles: true, cancelable: true };

  it.each([
    ['image', 'contextmenu', true],
    ['out', 'contextmenu', true],
    ['text', 'contextmenu', false],
    ['image', 'dragstart', true],
    ['text', 'dragstart', false],
    ['out', 'click', true],
    ['out', 'auxclick', true],
    ['link', 'click', false]
  ])('%s, %s: refused %s', (id, type, refused) => {
    expect(sends(id, new MouseEvent(type, options))).toBe(refused);
  });

  it('says why a link does nothing', () => {
    sends('out', new MouseEvent('click', options));
    expect(links).toBe(1);
  });

  it('refuses shift and right click on a picture', () => {
    const event = new MouseEvent('contextmenu', { ...options, shiftKey: true });
    expect(sends('image', event)).toBe(true);
  });

  it.each([
    ['p', { ctrlKey: true }, true, 1],
    ['P', { metaKey: true }, true, 1],
    ['s', { ctrlKey: true }, true, 0],
    ['p', {}, false, 0],
    ['c', { ctrlKey: true }, false, 0]
  ])('key %s with %j: refused %s', (key, modifiers, refused, said) => {
    const event = new KeyboardEvent('keydown', {
      ...options,
      key,
      ...modifiers
    });
    expect(sends('image', event)).toBe(refused);
    expect(prints).toBe(said);
  });
});
