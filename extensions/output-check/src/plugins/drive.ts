/**
 * Plugins in the place of JupyterLab's drive and of its converter.
 */
import {
  IDefaultDrive,
  INbConvertManager,
  IServerSettings,
  ServerConnection
} from '@jupyterlab/services';
import type {
  Contents,
  NbConvert,
  ServiceManagerPlugin
} from '@jupyterlab/services';
import { DeskDrive, NoConversion } from '../drive';

/** In the place of `@jupyterlab/services-extension:default-drive`. */
export const drive: ServiceManagerPlugin<Contents.IDrive> = {
  id: 'vitrine-output-check:drive',
  description: 'The drive of a desk: it hands out no address of a file.',
  autoStart: true,
  provides: IDefaultDrive,
  optional: [IServerSettings],
  activate: (_: null, settings: ServerConnection.ISettings | null) =>
    new DeskDrive({ serverSettings: settings ?? undefined })
};

/** In the place of `@jupyterlab/services-extension:nbconvert-manager`. */
export const nbconvert: ServiceManagerPlugin<NbConvert.IManager> = {
  id: 'vitrine-output-check:nbconvert',
  description: 'A converter that converts nothing: notebooks do not leave.',
  autoStart: true,
  provides: INbConvertManager,
  optional: [IServerSettings],
  activate: (_: null, settings: ServerConnection.ISettings | null) =>
    new NoConversion(settings ?? ServerConnection.makeSettings())
};
