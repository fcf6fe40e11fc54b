/**
 * Every way out that stock JupyterLab 4.6 offers, and what stands in its place.
 *
 * This is courtesy for honest people: it keeps the desk from offering what the
 * gate refuses. No promise rests on it.
 */

/**
 * Core plugins that are switched off. `disabledExtensions` in package.json
 * must be the same list (a test compares them).
 */
export const WITHHELD_PLUGINS: readonly string[] = [
  // File browser: download, copy download link, open in a browser tab, share.
  '@jupyterlab/filebrowser-extension:download',
  '@jupyterlab/filebrowser-extension:open-browser-tab',
  '@jupyterlab/filebrowser-extension:share-file',
  // Fetches an address from the browser; a desk has no network.
  '@jupyterlab/filebrowser-extension:open-url',
  // File > Download, and the command behind "Open in New Browser Tab".
  '@jupyterlab/docmanager-extension:download',
  '@jupyterlab/docmanager-extension:open-browser-tab',
  // File > Save and Export Notebook As, and "Copy Output to Clipboard".
  '@jupyterlab/notebook-extension:export',
  '@jupyterlab/notebook-extension:copy-output',
  // File > Print.
  '@jupyterlab/apputils-extension:print',
  // Viewers whose frames bring the browser's own "save" and "print".
  '@jupyterlab/htmlviewer-extension',
  '@jupyterlab/pdf-extension',
  '@jupyterlab/audio-extension',
  '@jupyterlab/video-extension',
  // Replaced by the drive and the converter of this extension.
  '@jupyterlab/services-extension:default-drive',
  '@jupyterlab/services-extension:nbconvert-manager',
  // They only open pages outside, which a desk cannot reach.
  '@jupyterlab/apputils-extension:announcements',
  '@jupyterlab/help-extension:jupyter-forum',
  '@jupyterlab/help-extension:resources'
];

/**
 * What a withheld command does now.
 *
 * - `browser`: submit what is selected in the file browser;
 * - `document`: submit the current document;
 * - `path`: submit the file named by the argument `path`;
 * - `gone`: nothing, and it is shown nowhere.
 */
export type Replacement = 'browser' | 'document' | 'path' | 'gone';

/** Command ids that took something out, with what each does now. */
export const WITHHELD_COMMANDS: ReadonlyMap<string, Replacement> = new Map<
  string,
  Replacement
>([
  ['filebrowser:download', 'browser'],
  ['filebrowser:copy-download-link', 'browser'],
  ['filebrowser:open-browser-tab', 'browser'],
  ['filebrowser:share-main', 'browser'],
  ['docmanager:download', 'document'],
  ['docmanager:open-browser-tab', 'path'],
  ['notebook:export-to-format', 'document'],
  ['notebook:copy-to-clipboard', 'document'],
  ['apputils:print', 'document'],
  ['settingeditor:export', 'gone'],
  ['workspace-ui:export', 'gone'],
  ['apputils:license-report', 'gone'],
  ['help:license-report', 'gone'],
  // "Shift+Right Click for Browser Menu", at the foot of context menus.
  ['__internal:context-menu-info', 'gone']
]);

/** Whether a link would take a file out: a download, or an address that serves files. */
export function isWayOut(link: {
  hasDownload: boolean;
  href: string;
}): boolean {
  if (link.hasDownload) {
    return true;
  }
  return /^(data|blob|filesystem):|\/(files|nbconvert|view)\//i.test(link.href);
}
