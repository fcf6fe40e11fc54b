/**
 * Plugins that close the ways out.
 */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { goneCommand, guardCommands, guardWindow } from '../guard';
import type { IMessages } from '../messages';
import { CommandIDs, IWords } from '../tokens';
import { WITHHELD_COMMANDS, type Replacement } from '../withheld';

const SHOWN_FOR = 8000;

/**
 * The command that answers under a withheld id. It is shown nowhere, because
 * the menus have the one command of this extension; a shortcut or another
 * extension that still calls the old id opens the form.
 */
function replacementFor(
  app: JupyterFrontEnd,
  replacement: Replacement
): CommandRegistry.ICommandOptions {
  if (replacement === 'gone') {
    return goneCommand();
  }
  return {
    label: '',
    isVisible: () => false,
    execute: args => app.commands.execute(CommandIDs.submit, target(args))
  };
  function target(args: ReadonlyPartialJSONObject): ReadonlyPartialJSONObject {
    const path = args['path'];
    return replacement === 'path' && typeof path === 'string'
      ? { paths: [path] }
      : { from: replacement === 'browser' ? 'browser' : 'document' };
  }
}

/** Withheld commands answer with the form. It asks for nothing, so as to come first. */
export const commandGuard: JupyterFrontEndPlugin<void> = {
  id: 'vitrine-output-check:command-guard',
  description: 'Puts “Submit for output check” in the place of commands.',
  autoStart: true,
  activate: (app: JupyterFrontEnd) => {
    const { commands } = app;
    const early = guardCommands(commands, WITHHELD_COMMANDS, replacement =>
      replacementFor(app, replacement)
    );
    for (const id of early) {
      console.error(`Output check: ${id} was there first and stays.`);
    }
    void app.started.then(() => {
      for (const [id, replacement] of WITHHELD_COMMANDS) {
        if (replacement !== 'gone' && !commands.hasCommand(id)) {
          commands.addCommand(id, replacementFor(app, replacement));
        }
      }
      // With the print plugin gone its key would reach the browser.
      commands.addKeyBinding({
        command: 'apputils:print',
        keys: ['Accel P'],
        selector: 'body'
      });
    });
  }
};

/** The browser's own ways out. */
export const windowGuard: JupyterFrontEndPlugin<void> = {
  id: 'vitrine-output-check:window-guard',
  description: 'Closes the browser’s own ways to take something off a page.',
  autoStart: true,
  requires: [IWords],
  activate: (app: JupyterFrontEnd, words: IMessages) => {
    const say = (message: string): void => {
      Notification.emit(message, 'info', {
        autoClose: SHOWN_FOR,
        actions: [
          {
            label: words.submitShort,
            callback: () => void app.commands.execute(CommandIDs.submit)
          }
        ]
      });
    };
    guardWindow(window, {
      refusedLink: () => say(words.linkRefused),
      refusedPrint: () => say(words.printRefused)
    });
    // What paper would show; see the print rules of the style sheet.
    document.body.dataset['vtrPrint'] = words.printRefused;
  }
};
