/**
 * The pictures of this extension.
 */
import { LabIcon } from '@jupyterlab/ui-components';

const OUTBOX = `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">
  <g class="jp-icon3" fill="#616161">
    <path d="M8 1 4.5 4.5l.9.9L7.4 3.5V10h1.2V3.5l2 1.9.9-.9z"/>
    <path d="M2 8v5.5c0 .6.4 1 1 1h10c.6 0 1-.4 1-1V8h-1.3v5.2H3.3V8z"/>
  </g>
</svg>`;

const CASE = `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">
  <g class="jp-icon3" fill="#616161">
    <path d="M3 1.5c-.6 0-1 .4-1 1v9h12v-9c0-.6-.4-1-1-1zm.3 1.3h9.4v7.4H3.3z"/>
    <path d="M1.5 12.6h13v1.9h-13z"/>
    <path d="m5 8.4 3.7-3.9.9.9-3.7 3.9z"/>
  </g>
</svg>`;

/** A tray something leaves: submitting. */
export const outboxIcon = new LabIcon({
  name: 'vitrine-output-check:outbox',
  svgstr: OUTBOX
});

/** A display case: the desk. */
export const caseIcon = new LabIcon({
  name: 'vitrine-output-check:case',
  svgstr: CASE
});
