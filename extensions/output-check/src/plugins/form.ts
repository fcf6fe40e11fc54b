/**
 * The plugin that opens the form.
 */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { FileDialog, IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator } from '@jupyterlab/translation';
import type { JSONObject } from '@lumino/coreutils';
import type { SubmissionDialog } from '../dialog';
import {
  ApiError,
  type ISubmission,
  type ISubmissionForm,
  type Mending
} from '../api';
import type { IMessages } from '../messages';
import {
  CommandIDs,
  IDeskSession,
  ISubmissionDesk,
  ISubmissions,
  IWords
} from '../tokens';
import type { IChosenFile } from '../validation';

const EMPTY: ISubmissionForm = {
  what: '',
  population: '',
  variables: '',
  counts: '',
  purpose: '',
  note: '',
  supersedes: null
};

/** What is remembered of a submission, to fill in the form when it is returned. */
interface IRemembered {
  paths: string[];
  form: ISubmissionForm;
}

interface IServices {
  app: JupyterFrontEnd;
  words: IMessages;
  session: IDeskSession;
  submissions: ISubmissions;
  documents: IDocumentManager;
  state: IStateDB | null;
  browser: IDefaultFileBrowser | null;
  translator: ITranslator | null;
}

/** Opens the form, saves open documents before they are sent, remembers what was written. */
class SubmissionDesk implements ISubmissionDesk {
  constructor(private readonly _services: IServices) {}

  async open(
    paths: readonly string[],
    supersedes?: ISubmission
  ): Promise<void> {
    const { app, words, session } = this._services;
    if (this._dialog && !this._dialog.isDisposed) {
      return;
    }
    const known = supersedes ? await this._recall(supersedes.id) : null;
    const chosen = paths.length > 0 ? paths : (known?.paths ?? []);
    // Nothing is open or selected: let her choose first.
    const files =
      supersedes || chosen.length > 0
        ? await this._describe(chosen)
        : await this._ask();
    if (files.length === 0 && !supersedes) {
      return;
    }
    const dialogs = await import('../dialog');
    this._dialog = new dialogs.SubmissionDialog({
      words,
      files,
      form: {
        ...EMPTY,
        what: supersedes?.what ?? '',
        ...known?.form,
        supersedes: supersedes?.id ?? null
      },
      limits: session.session?.limits ?? null,
      replaces: supersedes?.number ?? null,
      addFiles: () => this._ask(),
      save: async chosenFiles => {
        for (const file of chosenFiles) {
          await this._save(file);
        }
      },
      precheck: (chosenFiles, form) =>
        this._services.submissions.precheck(
          chosenFiles.map(file => file.path),
          form
        ),
      mend: (file, remedy) => this._mend(file, remedy),
      send: (chosenFiles, form) => this._send(chosenFiles, form),
      showSubmissions: () => void app.commands.execute(CommandIDs.showPanel)
    });
    this._dialog.open();
  }

  private async _send(
    files: IChosenFile[],
    form: ISubmissionForm
  ): Promise<ISubmission> {
    const paths = files.map(file => file.path);
    const submission = await this._services.submissions.submit(paths, form);
    await this._remember(submission.id, { paths, form });
    return submission;
  }

  private async _mend(
    file: IChosenFile,
    remedy: Mending
  ): Promise<IChosenFile> {
    const path = await this._services.submissions.mend(file.path, remedy);
    const [made] = await this._describe([path]);
    return made;
  }

  private async _save(file: IChosenFile): Promise<void> {
    const context = this._contextOf(file.path);
    if (!context?.model.dirty) {
      return;
    }
    // A refused save has shown its own dialog; what counts is whether it is saved.
    await context.save().catch(() => undefined);
    if (context.model.dirty) {
      const message = this._services.words.saveFailed(file.name);
      throw new ApiError('save_failed', message, 'files', 0);
    }
  }

  private _contextOf(
    path: string
  ): ReturnType<IDocumentManager['contextForWidget']> {
    const { documents } = this._services;
    const widget = documents.findWidget(path, null);
    return widget ? documents.contextForWidget(widget) : undefined;
  }

  /** Name and size of files; one that cannot be read is kept, and the server says why. */
  private async _describe(paths: readonly string[]): Promise<IChosenFile[]> {
    const { contents } = this._services.app.serviceManager;
    return Promise.all(
      paths.map(async path => {
        const unsaved = this._contextOf(path)?.model.dirty ?? false;
        const name = PathExt.basename(path);
        try {
          const model = await contents.get(path, { content: false });
          return { path, name, size: model.size ?? null, unsaved };
        } catch {
          return { path, name, size: null, unsaved };
        }
      })
    );
  }

  private async _ask(): Promise<IChosenFile[]> {
    const { words, documents, browser, translator } = this._services;
    const result = await FileDialog.getOpenFiles({
      manager: documents,
      title: words.chooseFiles,
      defaultPath: browser?.model.path,
      translator: translator ?? undefined
    });
    if (!result.button.accept || !result.value) {
      return [];
    }
    const files = result.value.filter(model => model.type !== 'directory');
    if (files.length === 0) {
      Notification.info(words.onlyFolders, { autoClose: 6000 });
    }
    const { contents } = documents.services;
    return this._describe(files.map(model => contents.localPath(model.path)));
  }

  private async _remember(id: string, what: IRemembered): Promise<void> {
    // A convenience: that it cannot be kept must not look like a failed submission.
    await this._services.state
      ?.save(key(id), what as unknown as JSONObject)
      .catch(reason => console.warn('Output check: form not kept', reason));
  }

  private async _recall(id: string): Promise<IRemembered | null> {
    try {
      const kept = await this._services.state?.fetch(key(id));
      return readRemembered(kept);
    } catch {
      return null;
    }
  }

  private _dialog: SubmissionDialog | null = null;
}

function key(id: string): string {
  return `vitrine-output-check:form:${id}`;
}

function readRemembered(kept: unknown): IRemembered | null {
  if (typeof kept !== 'object' || kept === null) {
    return null;
  }
  const { paths, form } = kept as Partial<IRemembered>;
  if (!Array.isArray(paths) || typeof form !== 'object' || form === null) {
    return null;
  }
  return { paths, form: { ...EMPTY, ...form } };
}

/** Opens the form. */
export const form: JupyterFrontEndPlugin<ISubmissionDesk> = {
  id: 'vitrine-output-check:form',
  description: 'Opens the form to submit files for output check.',
  autoStart: true,
  provides: ISubmissionDesk,
  requires: [IWords, IDeskSession, ISubmissions, IDocumentManager],
  optional: [IStateDB, IDefaultFileBrowser, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    words: IMessages,
    session: IDeskSession,
    submissions: ISubmissions,
    documents: IDocumentManager,
    state: IStateDB | null,
    browser: IDefaultFileBrowser | null,
    translator: ITranslator | null
  ) =>
    new SubmissionDesk({
      app,
      words,
      session,
      submissions,
      documents,
      state,
      browser,
      translator
    })
};
