/**
 * The form in a modal dialog. The browser's own `<dialog>` keeps the focus
 * inside, makes the rest of the page inert and gives the focus back at the end.
 */
import { ReactWidget } from '@jupyterlab/ui-components';
import { PanelLayout, Widget } from '@lumino/widgets';
import React from 'react';
import { SubmissionForm, type IFormProps } from './form';
import type { IChosenFile } from './validation';

/** What the dialog is given; it looks after closing itself. */
export interface IDialogOptions extends Omit<IFormProps, 'close' | 'setBusy'> {
  /** Save files that are open with changes; rejects with ApiError. */
  save: (files: IChosenFile[]) => Promise<void>;
}

/** One form, from opening to closing. */
export class SubmissionDialog extends Widget {
  constructor(private readonly _options: IDialogOptions) {
    super({ node: document.createElement('dialog') });
    this.addClass('vtr-Dialog');
    this.node.setAttribute('aria-labelledby', 'vtr-form-title');
    this.node.dataset['testid'] = 'vtr-dialog';
    const layout = (this.layout = new PanelLayout());
    layout.addWidget(ReactWidget.create(this._render()));
  }

  /** Show it; it is disposed of when it is closed. */
  open(): void {
    Widget.attach(this, document.body);
    this._element.addEventListener('cancel', event => {
      // Escape: the browser closes the dialog unless it is told not to.
      event.preventDefault();
      this._close();
    });
    // Keys typed in the form are no shortcuts of JupyterLab.
    this.node.addEventListener('keydown', event => {
      event.stopPropagation();
      if ((event.ctrlKey || event.metaKey) && /^[ps]$/i.test(event.key)) {
        event.preventDefault();
      }
      if (event.key === 'Tab') {
        this._keepFocus(event);
      }
    });
    this._element.showModal();
  }

  private _render(): JSX.Element {
    return (
      <SubmissionForm
        {...this._options}
        addFiles={() => this._aside(() => this._options.addFiles())}
        send={async (files, form) => {
          if (files.some(file => file.unsaved)) {
            await this._aside(() => this._options.save(files));
          }
          return this._options.send(files, form);
        }}
        precheck={async (files, form, save) => {
          if (save && files.some(file => file.unsaved)) {
            await this._aside(() => this._options.save(files));
          }
          return this._options.precheck(files, form, save);
        }}
        close={() => this._close()}
        showSubmissions={() => {
          this._close();
          this._options.showSubmissions();
        }}
        setBusy={busy => {
          this._busy = busy;
        }}
      />
    );
  }

  private get _element(): HTMLDialogElement {
    return this.node as HTMLDialogElement;
  }

  /** After the last field comes the first, and not the browser's own bars. */
  private _keepFocus(event: KeyboardEvent): void {
    const stops = this.node.querySelectorAll<HTMLElement>(
      'button:not(:disabled), input:not(:disabled), textarea:not(:disabled)'
    );
    const first = stops[0];
    const last = stops[stops.length - 1];
    const leaving = event.shiftKey ? first : last;
    if (first && document.activeElement === leaving) {
      event.preventDefault();
      (event.shiftKey ? last : first).focus();
    }
  }

  /**
   * Do something in which JupyterLab may show a dialog of its own, such as the
   * file chooser, or "changed on disk" when saving: it would lie under this one.
   */
  private async _aside<T>(act: () => Promise<T>): Promise<T> {
    const before = document.activeElement;
    this._element.close();
    try {
      return await act();
    } finally {
      this._element.showModal();
      if (before instanceof HTMLElement) {
        before.focus();
      }
    }
  }

  private _close(): void {
    if (this._busy || this.isDisposed) {
      return;
    }
    this._element.close();
    this.dispose();
  }

  private _busy = false;
}
