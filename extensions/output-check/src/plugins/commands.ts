/**
 * The command “Submit for output check…”, and every place it stands in.
 */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  CommandToolbarButton,
  ICommandPalette,
  Notification
} from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { IMainMenu } from '@jupyterlab/mainmenu';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { DisposableDelegate } from '@lumino/disposable';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { Chooser, readOrigin } from '../choice';
import { outboxIcon } from '../icons';
import type { IMessages } from '../messages';
import { CommandIDs, ISubmissionDesk, IWords } from '../tokens';

/** Context menus it stands in: where, about which file, and how far up. */
const PLACES: readonly { selector: string; from: string; rank: number }[] = [
  {
    selector: '.jp-DirListing-item[data-isdir="false"]',
    from: 'browser',
    rank: 1.6
  },
  {
    selector: '#jp-main-dock-panel [data-type="document-title"]',
    from: 'tab',
    rank: 19
  },
  // Siblings, so that only one of the two matches.
  { selector: '.jp-Notebook .jp-Cell-inputWrapper', from: 'document', rank: 9 },
  {
    selector: '.jp-Notebook .jp-Cell-outputWrapper',
    from: 'document',
    rank: 0
  },
  { selector: '.jp-FileEditor', from: 'document', rank: 9 },
  { selector: '.jp-ImageViewer', from: 'document', rank: 9 },
  { selector: '.jp-CSVViewer', from: 'document', rank: 9 },
  { selector: '.jp-MarkdownViewer', from: 'document', rank: 9 },
  { selector: '.jp-MimeDocument', from: 'document', rank: 9 }
];

/** Paths given as an argument, or null. */
function readPaths(args: ReadonlyPartialJSONObject): string[] | null {
  const paths = args['paths'];
  return Array.isArray(paths)
    ? paths.filter((path): path is string => typeof path === 'string')
    : null;
}

function addPlaces(
  app: JupyterFrontEnd,
  words: IMessages,
  palette: ICommandPalette | null,
  menu: IMainMenu | null
): void {
  const command = CommandIDs.submit;
  for (const { selector, from, rank } of PLACES) {
    app.contextMenu.addItem({ command, selector, rank, args: { from } });
  }
  menu?.fileMenu.addGroup([{ command, args: { from: 'any' } }], 6);
  palette?.addItem({ command, category: words.category });
  app.docRegistry.addWidgetExtension('Notebook', {
    createNew: (panel: NotebookPanel) => {
      const button = new CommandToolbarButton({
        commands: app.commands,
        id: command,
        args: { from: 'document', toolbar: true },
        label: words.submitShort,
        icon: outboxIcon
      });
      panel.toolbar.insertAfter('cellType', 'vitrine-submit', button);
      return new DisposableDelegate(() => button.dispose());
    }
  });
}

/** The command. */
export const commands: JupyterFrontEndPlugin<void> = {
  id: 'vitrine-output-check:commands',
  description: 'Adds “Submit for output check…” wherever a file can be chosen.',
  autoStart: true,
  requires: [IWords, ISubmissionDesk, IDocumentManager],
  optional: [IFileBrowserFactory, ICommandPalette, IMainMenu],
  activate: (
    app: JupyterFrontEnd,
    words: IMessages,
    desk: ISubmissionDesk,
    documents: IDocumentManager,
    browsers: IFileBrowserFactory | null,
    palette: ICommandPalette | null,
    menu: IMainMenu | null
  ) => {
    const chooser = new Chooser(app, documents, browsers);
    app.commands.addCommand(CommandIDs.submit, {
      label: words.submit,
      caption: words.submitCaption,
      icon: args => (args['toolbar'] ? undefined : outboxIcon),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            from: { enum: ['browser', 'document', 'tab', 'any'] },
            paths: { type: 'array', items: { type: 'string' } }
          }
        }
      },
      execute: async args => {
        const given = readPaths(args);
        const choice = given
          ? { paths: given, folders: false }
          : chooser.choose(readOrigin(args['from']));
        if (choice.folders && choice.paths.length === 0) {
          Notification.info(words.onlyFolders, { autoClose: 6000 });
          return;
        }
        await desk.open(choice.paths);
      }
    });
    addPlaces(app, words, palette, menu);
  }
};
