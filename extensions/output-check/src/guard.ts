/**
 * The browser's own ways to take something off a page: its context menu, links
 * that download, dragging a picture to the desktop, printing, "Save page as".
 */
import type { CommandRegistry } from '@lumino/commands';
import { isWayOut, type Replacement } from './withheld';

/** Where a person writes: the browser's own menu and drags stay as they are. */
const EDITABLE =
  'input, textarea, select, [contenteditable="true"], .cm-content';

/** What happens in the place of a refused way out. */
export interface IGuardOptions {
  /** A link or a button that would take a file out was used. */
  refusedLink: () => void;
  /** The browser was asked to print. */
  refusedPrint: () => void;
}

/** Whether the target of an event is inside something one writes in. */
export function isEditable(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest(EDITABLE) !== null;
}

/** The link at an event that would take a file out, if there is one. */
export function wayOutAt(target: EventTarget | null): Element | null {
  if (!(target instanceof Element)) {
    return null;
  }
  const link = target.closest('a, area');
  if (link === null) {
    return null;
  }
  // SVG links carry their address in xlink:href.
  const href =
    link.getAttribute('href') ?? link.getAttribute('xlink:href') ?? '';
  const out = isWayOut({ hasDownload: link.hasAttribute('download'), href });
  return out ? link : null;
}

function stop(event: Event): void {
  event.preventDefault();
  event.stopImmediatePropagation();
}

/** The same right click without the shift key. */
function withoutShift(event: MouseEvent): MouseEvent {
  return new MouseEvent('contextmenu', {
    bubbles: true,
    cancelable: true,
    view: event.view,
    button: event.button,
    clientX: event.clientX,
    clientY: event.clientY,
    screenX: event.screenX,
    screenY: event.screenY
  });
}

/** Put the guard on a window. It stays for the life of the page. */
export function guardWindow(target: Window, options: IGuardOptions): void {
  const onLink = (event: Event): void => {
    if (wayOutAt(event.target) !== null) {
      stop(event);
      options.refusedLink();
    }
  };
  const onContextMenu = (event: MouseEvent): void => {
    if (isEditable(event.target)) {
      return;
    }
    event.preventDefault();
    if (event.shiftKey && event.isTrusted) {
      // JupyterLab leaves shift + right click to the browser, whose menu has
      // "Save image as". Ask again without the shift key.
      event.stopImmediatePropagation();
      event.target?.dispatchEvent(withoutShift(event));
    }
  };
  const onDragStart = (event: DragEvent): void => {
    if (!isEditable(event.target)) {
      stop(event);
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const accel = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    if (!accel || event.defaultPrevented || (key !== 'p' && key !== 's')) {
      return;
    }
    // JupyterLab did not take the key: the browser would print or save the page.
    event.preventDefault();
    if (key === 'p') {
      options.refusedPrint();
    }
  };
  target.addEventListener('click', onLink, true);
  target.addEventListener('auxclick', onLink, true);
  target.addEventListener('contextmenu', onContextMenu, true);
  target.addEventListener('dragstart', onDragStart, true);
  // In the bubbling phase, after JupyterLab.
  target.addEventListener('keydown', onKeyDown);
}

/**
 * Make `addCommand` put the replacement in the place of a withheld command,
 * whichever plugin adds it: for commands whose plugin also does other things,
 * and so cannot be disabled.
 *
 * @returns the withheld ids that were there before, which this could not replace
 */
export function guardCommands(
  commands: CommandRegistry,
  withheld: ReadonlyMap<string, Replacement>,
  replace: (replacement: Replacement) => CommandRegistry.ICommandOptions
): string[] {
  const original = commands.addCommand.bind(commands);
  const early = [...withheld.keys()].filter(id => commands.hasCommand(id));
  commands.addCommand = (id, options) => {
    const replacement = withheld.get(id);
    return original(
      id,
      replacement === undefined ? options : replace(replacement)
    );
  };
  return early;
}

/** A command that nothing shows and that does nothing. */
export function goneCommand(): CommandRegistry.ICommandOptions {
  return {
    label: '',
    isVisible: () => false,
    isEnabled: () => false,
    execute: () => undefined
  };
}
