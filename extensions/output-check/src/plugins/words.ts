/**
 * Plugins that everything else here leans on: language, calls, session, list.
 */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { SubmissionApi } from '../api';
import { chooseLanguage, messagesIn, type IMessages } from '../messages';
import { DeskSession } from '../session';
import { Submissions } from '../submissions';
import { IDeskSession, ISubmissionApi, ISubmissions, IWords } from '../tokens';

const TRANSLATION = '@jupyterlab/translation-extension:plugin';

/** The locale chosen in JupyterLab's settings; `default` when none was chosen. */
async function labLocale(registry: ISettingRegistry | null): Promise<string> {
  try {
    const settings = await registry?.load(TRANSLATION);
    const locale = settings?.get('locale').composite;
    return typeof locale === 'string' ? locale : 'default';
  } catch {
    // The plugin may be disabled; the browser's language then decides.
    return 'default';
  }
}

/** The catalogue. */
export const words: JupyterFrontEndPlugin<IMessages> = {
  id: 'vitrine-output-check:words',
  description: 'Chooses French or English.',
  autoStart: true,
  provides: IWords,
  optional: [ISettingRegistry],
  activate: async (_: JupyterFrontEnd, registry: ISettingRegistry | null) =>
    messagesIn(chooseLanguage(await labLocale(registry), navigator.languages))
};

/** The calls. */
export const api: JupyterFrontEndPlugin<SubmissionApi> = {
  id: 'vitrine-output-check:api',
  description: 'The calls for sessions and submissions.',
  autoStart: true,
  provides: ISubmissionApi,
  requires: [IWords],
  activate: (app: JupyterFrontEnd, messages: IMessages) =>
    new SubmissionApi(app.serviceManager.serverSettings, messages.language)
};

/** The session. */
export const session: JupyterFrontEndPlugin<IDeskSession> = {
  id: 'vitrine-output-check:session',
  description: 'The project, tier, limits and end of this desk.',
  autoStart: true,
  provides: IDeskSession,
  requires: [ISubmissionApi],
  activate: (_: JupyterFrontEnd, calls: SubmissionApi) => new DeskSession(calls)
};

/** The list. */
export const submissions: JupyterFrontEndPlugin<ISubmissions> = {
  id: 'vitrine-output-check:submissions',
  description: 'The submissions of this project.',
  autoStart: true,
  provides: ISubmissions,
  requires: [ISubmissionApi],
  activate: (_: JupyterFrontEnd, calls: SubmissionApi) => {
    const list = new Submissions(calls);
    window.addEventListener('focus', () => void list.refresh());
    return list;
  }
};
