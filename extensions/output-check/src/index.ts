/**
 * A desk from which nothing leaves unchecked, as JupyterLab shows it.
 *
 * Nothing here is a control: the gate and the portal keep every promise.
 */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import type { ServiceManagerPlugin } from '@jupyterlab/services';
import { commands } from './plugins/commands';
import { drive, nbconvert } from './plugins/drive';
import { form } from './plugins/form';
import { commandGuard, windowGuard } from './plugins/guards';
import { banner, panel } from './plugins/views';
import { api, session, submissions, words } from './plugins/words';

const plugins: (
  JupyterFrontEndPlugin<unknown> | ServiceManagerPlugin<unknown>
)[] = [
  drive,
  nbconvert,
  commandGuard,
  windowGuard,
  words,
  api,
  session,
  submissions,
  form,
  commands,
  banner,
  panel
];

export default plugins;
export * from './tokens';
