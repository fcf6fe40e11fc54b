/**
 * Which files a command is about: from the file browser, a tab, or a document.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import type { Widget } from '@lumino/widgets';

/** Where a command was called from. */
export type Origin = 'browser' | 'document' | 'tab' | 'any';

/** What was chosen. */
export interface IChoice {
  /** Files, relative to the server's root. */
  paths: string[];
  /** Whether folders were chosen as well; they cannot be submitted. */
  folders: boolean;
}

/** Read an argument of a command: an unknown origin is `any`. */
export function readOrigin(value: unknown): Origin {
  return value === 'browser' || value === 'document' || value === 'tab'
    ? value
    : 'any';
}

/** Finds the files. */
export class Chooser {
  constructor(
    private readonly _app: JupyterFrontEnd,
    private readonly _documents: IDocumentManager,
    private readonly _browsers: IFileBrowserFactory | null
  ) {}

  /** The files a command called from `origin` is about. */
  choose(origin: Origin): IChoice {
    if (origin === 'browser') {
      return this._selected();
    }
    if (origin === 'tab') {
      return this._of(this._tabWidget());
    }
    const current = this._of(this._documentWidget());
    return origin === 'any' && current.paths.length === 0
      ? this._selected()
      : current;
  }

  private _selected(): IChoice {
    const browser = this._browsers?.tracker.currentWidget;
    const choice: IChoice = { paths: [], folders: false };
    for (const model of browser?.selectedItems() ?? []) {
      if (model.type === 'directory') {
        choice.folders = true;
      } else {
        choice.paths.push(this._local(model.path));
      }
    }
    return choice;
  }

  private _of(widget: Widget | null): IChoice {
    const context = widget
      ? this._documents.contextForWidget(widget)
      : undefined;
    return {
      paths: context ? [this._local(context.path)] : [],
      folders: false
    };
  }

  /** The document whose tab was right-clicked. */
  private _tabWidget(): Widget | null {
    const node = this._app.contextMenuHitTest(node => !!node.dataset['id']);
    const id = node?.dataset['id'];
    return this._find(widget => widget.id === id);
  }

  /** The document that was right-clicked, or else the current one. */
  private _documentWidget(): Widget | null {
    const node = this._app.contextMenuHitTest(node =>
      node.classList.contains('jp-Document')
    );
    const hit = node ? this._find(widget => widget.node === node) : null;
    return hit ?? this._app.shell.currentWidget;
  }

  private _find(test: (widget: Widget) => boolean): Widget | null {
    for (const widget of this._app.shell.widgets('main')) {
      if (test(widget)) {
        return widget;
      }
    }
    return null;
  }

  private _local(path: string): string {
    return this._documents.services.contents.localPath(path);
  }
}
