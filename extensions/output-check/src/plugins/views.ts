/**
 * Plugins for what is seen all the time: the banner and the side panel.
 */
import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  Dialog,
  ICommandPalette,
  Notification,
  showDialog
} from '@jupyterlab/apputils';
import { IMainMenu } from '@jupyterlab/mainmenu';
import type { ISubmission } from '../api';
import { BannerWidget } from '../banner';
import { outboxIcon } from '../icons';
import type { IMessages } from '../messages';
import { PanelWidget } from '../panel';
import {
  CommandIDs,
  IDeskSession,
  ISubmissionDesk,
  ISubmissions,
  IWords
} from '../tokens';

/** States worth a word when a submission reaches them. */
const TOLD: ReadonlySet<string> = new Set([
  'RETURNED',
  'APPROVED',
  'REJECTED',
  'RELEASED'
]);

/** The banner. */
export const banner: JupyterFrontEndPlugin<void> = {
  id: 'vitrine-output-check:banner',
  description: 'Shows the project, the display tier and the time left.',
  autoStart: true,
  requires: [IWords, IDeskSession, ILabShell],
  activate: (
    _: JupyterFrontEnd,
    words: IMessages,
    desk: IDeskSession,
    shell: ILabShell
  ) => {
    shell.add(new BannerWidget(words, desk), 'header', { rank: 0 });
  }
};

async function confirmWithdraw(
  words: IMessages,
  submission: ISubmission
): Promise<boolean> {
  const result = await showDialog({
    title: words.withdrawTitle(submission.number),
    body: words.withdrawBody,
    buttons: [
      Dialog.cancelButton({ label: words.cancel }),
      Dialog.warnButton({ label: words.withdrawConfirm })
    ]
  });
  return result.button.accept;
}

/**
 * Open the portal in a new tab; where the page's sandbox forbids that, in this
 * one, with the documents saved first (the browser would not ask).
 */
async function openPortal(
  app: JupyterFrontEnd,
  address: string
): Promise<void> {
  if (window.open(address, '_blank') !== null) {
    return;
  }
  if (app.commands.hasCommand('docmanager:save-all')) {
    await app.commands.execute('docmanager:save-all');
  }
  window.location.assign(address);
}

/** The side panel. */
export const panel: JupyterFrontEndPlugin<void> = {
  id: 'vitrine-output-check:panel',
  description: 'Lists the submissions of this project.',
  autoStart: true,
  requires: [IWords, ISubmissions, IDeskSession, ISubmissionDesk],
  optional: [ILayoutRestorer, ICommandPalette, IMainMenu],
  activate: (
    app: JupyterFrontEnd,
    words: IMessages,
    submissions: ISubmissions,
    desk: IDeskSession,
    forms: ISubmissionDesk,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    menu: IMainMenu | null
  ) => {
    const widget = new PanelWidget({
      words,
      submissions,
      desk,
      confirmWithdraw: submission => confirmWithdraw(words, submission),
      resubmit: submission => void forms.open([], submission),
      openPortal: address => void openPortal(app, address)
    });
    app.shell.add(widget, 'right', { rank: 50, type: words.panelTitle });
    restorer?.add(widget, widget.id);
    app.commands.addCommand(CommandIDs.showPanel, {
      label: words.showPanel,
      icon: outboxIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => {
        app.shell.activateById(widget.id);
      }
    });
    palette?.addItem({
      command: CommandIDs.showPanel,
      category: words.category
    });
    menu?.viewMenu.addGroup([{ command: CommandIDs.showPanel }], 20);
    submissions.stateChanged.connect((_, { submission }) => {
      if (TOLD.has(submission.state)) {
        Notification.emit(
          words.stateChanged(submission.number, submission.state),
          'info',
          {
            autoClose: 10_000,
            actions: [
              {
                label: words.seeSubmissions,
                callback: () => void app.commands.execute(CommandIDs.showPanel)
              }
            ]
          }
        );
      }
    });
  }
};
