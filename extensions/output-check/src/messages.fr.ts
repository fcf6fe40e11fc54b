/**
 * The French catalogue.
 */
import type { IMessages } from './messages';
import { twoDigits, type IDuration } from './timeleft';
import { typographic as t, wordMoment, wordSize } from './wording';

function count(value: number, one: string, many: string): string {
  return `${value}\u00a0${value < 2 ? one : many}`;
}

function timeLeft(left: IDuration): string {
  if (left.days > 0) {
    const days = count(left.days, 'jour', 'jours');
    return left.days < 3 ? `${days} ${left.hours}\u00a0h` : days;
  }
  if (left.hours > 0) {
    return `${left.hours}\u00a0h ${twoDigits(left.minutes)}\u00a0min`;
  }
  return `${twoDigits(left.minutes)}:${twoDigits(left.seconds)}`;
}

function timeLeftSpoken(left: IDuration): string {
  const parts: string[] = [];
  if (left.days > 0) {
    parts.push(count(left.days, 'jour', 'jours'));
  }
  if (left.hours > 0) {
    parts.push(count(left.hours, 'heure', 'heures'));
  }
  if (left.days === 0 && left.minutes > 0) {
    parts.push(count(left.minutes, 'minute', 'minutes'));
  }
  const text = parts.join(' ') || "moins d'une minute";
  return t(`Temps restant avant la fin du projet : ${text}.`);
}

const TIERS: Record<string, [string, string]> = {
  open: [
    'Affichage ouvert',
    t(
      "Ouvert : votre navigateur reçoit JupyterLab lui-même. Ce mode est réservé aux données publiques, synthétiques ou d'enseignement. Le téléchargement est fermé et tout ce qui part vers le navigateur est compté, mais une personne déterminée peut copier du texte à l'écran."
    )
  ],
  sealed: [
    'Affichage scellé',
    t(
      "Scellé : votre écran ne reçoit qu'une image du bureau. Rien ne peut être copié vers votre poste."
    )
  ]
};

const STATES: Record<string, [string, string]> = {
  SUBMITTED: ['Déposée', t('En attente du contrôle de sortie.')],
  UNDER_REVIEW: [
    'En contrôle',
    t("Les personnes chargées du contrôle l'examinent.")
  ],
  RETURNED: [
    'À revoir',
    t('Tenez compte du commentaire, puis soumettez à nouveau.')
  ],
  APPROVED: ['Approuvée', t('Les fichiers vont être mis à disposition.')],
  REJECTED: ['Refusée', t('Ces fichiers ne sortiront pas.')],
  RELEASED: ['Libérée', t('Les fichiers vous attendent sur le portail.')],
  WITHDRAWN: ['Retirée', t('Vous avez retiré cette soumission.')]
};

const DECISIONS: Record<string, string> = {
  approve: 'Approbation',
  return: 'À revoir',
  reject: 'Refus'
};

/** French. */
export const french: IMessages = {
  language: 'fr',

  submit: 'Soumettre au contrôle de sortie…',
  submitShort: 'Soumettre',
  submitCaption: t(
    'Demander que des fichiers sortent du bureau, après contrôle'
  ),
  showPanel: t('Contrôle de sortie : mes soumissions'),
  category: 'Contrôle de sortie',

  linkRefused: t(
    'Aucun fichier ne sort du bureau par un lien. Soumettez-le au contrôle de sortie.'
  ),
  printRefused: t(
    "L'impression est fermée dans ce bureau. Soumettez le fichier au contrôle de sortie."
  ),

  bannerName: 'Projet et temps restant',
  project: 'Projet',
  tierName: tier => TIERS[tier]?.[0] ?? t(`Affichage : ${tier}`),
  tierExplanation: tier => TIERS[tier]?.[1] ?? t(`Mode d'affichage : ${tier}.`),
  tierLabel: tier =>
    t(`${TIERS[tier]?.[0] ?? tier} : qu'est-ce que cela veut dire ?`),
  timeLeftLabel: t('Temps restant :'),
  timeLeft,
  timeLeftTitle: end => t(`Fin du projet : ${end}`),
  timeLeftSpoken,
  ended: 'Le projet est terminé',
  endedTitle: t(
    'Le bureau se ferme. Vos fichiers libérés restent sur le portail.'
  ),
  sessionUnknown: t('Projet et temps restant : momentanément indisponibles'),

  formTitle: 'Soumettre au contrôle de sortie',
  formTitleAgain: number => `Soumettre à nouveau (remplace le n° ${number})`,
  formIntro: t(
    "Deux personnes relisent ces fichiers avant qu'ils ne sortent. Plus votre description est précise, plus le contrôle est rapide."
  ),
  formIntroAgain: number =>
    t(
      `Cette soumission remplace le n° ${number}, qui vous a été retourné. Les champs sont repris quand ils sont connus ; vérifiez les fichiers.`
    ),
  files: 'Fichiers',
  filesLimits: (files, bytes, types) =>
    t(
      `Au plus ${count(files, 'fichier', 'fichiers')} et ${bytes} en tout. Types acceptés : ${types}.`
    ),
  filesNone: 'Aucun fichier choisi.',
  filesTotal: (files, bytes) =>
    t(`${count(files, 'fichier', 'fichiers')}, ${bytes} en tout`),
  addFiles: 'Ajouter des fichiers…',
  chooseFiles: 'Choisir les fichiers à soumettre',
  removeFile: name => `Retirer ${name} de la liste`,
  unsaved: t('modifié : sera enregistré avant l’envoi'),
  sizeUnknown: 'taille inconnue',
  required: 'obligatoire',
  fields: {
    what: {
      label: t("De quoi s'agit-il ?"),
      hint: t(
        'Ce que montrent ces fichiers, en une ou deux phrases. Exemple : tableau 2, salaire moyen par secteur.'
      )
    },
    population: {
      label: 'Population',
      hint: t('Qui est compté, et qui ne l’est pas (filtres, année).')
    },
    variables: {
      label: 'Variables',
      hint: t('Les variables utilisées, et comment elles sont recodées.')
    },
    counts: {
      label: 'Effectifs non pondérés',
      hint: t(
        'Le nombre d’unités derrière chaque chiffre, ou le fichier où on le trouve.'
      )
    },
    purpose: {
      label: 'Usage prévu',
      hint: t('Article, thèse, présentation…')
    },
    note: {
      label: 'Remarque pour le contrôle',
      hint: t('Tout ce qui aide à relire.')
    }
  },
  advice: t("Avant l'envoi"),
  adviceNone: t(
    'Rien à signaler dans ces fichiers. Les personnes qui contrôlent les comparent aussi aux données.'
  ),
  adviceAsking: t('Lecture des fichiers…'),
  adviceAgain: 'Vérifier les fichiers et la description',
  adviceFailed: t(
    "Les fichiers n'ont pas pu être vérifiés ; vous pouvez les soumettre."
  ),
  declared: t("déclaré : sera refait depuis l'extrait"),
  remedies: 'Que faire',
  mend: 'Écrire un nouveau fichier',
  mendAs: remedy =>
    t(`${remedy} Écrire un nouveau fichier, qui prend ici sa place`),
  mendFailed: t('Le nouveau fichier n’a pas pu être écrit.'),
  copy: 'Copier',
  copyCall: call => t(`Copier : ${call}`),
  callCopied: 'Copié',
  inPython: t('Python :'),
  inR: t('R :'),
  send: 'Soumettre',
  cancel: 'Annuler',
  close: 'Fermer',
  sending: (files, bytes) =>
    t(`Envoi de ${count(files, 'fichier', 'fichiers')} (${bytes})…`),
  sent: number => `Soumission n° ${number} enregistrée`,
  sentBody: t(
    'Les fichiers sont figés tels quels. Suivez leur contrôle dans le panneau « Contrôle de sortie », à droite.'
  ),
  seeSubmissions: 'Voir mes soumissions',
  errorSummary: t("La soumission n'est pas partie."),
  errors: {
    unreachable: t(
      'Le bureau ne répond pas. Avant de réessayer, regardez dans le panneau si votre demande est arrivée.'
    ),
    unexpected: t(
      'Réponse inattendue du bureau. Réessayez ; si cela se répète, prévenez l’équipe qui gère vos données.'
    )
  },
  whatMissing: t("Dites en une phrase de quoi il s'agit."),
  contextMissing: label =>
    t(
      `Remplissez « ${label} » : sans cela, aucune personne du contrôle ne peut approuver.`
    ),
  filesMissing: 'Choisissez au moins un fichier.',
  tooManyFiles: limit =>
    t(`Trop de fichiers : ${limit} au plus par soumission.`),
  tooLarge: limit =>
    t(`Trop volumineux : ${limit} au plus pour tous les fichiers.`),
  emptyFile: name => `Le fichier ${name} est vide.`,
  typeRefused: (name, types) =>
    t(`Le type de ${name} n'est pas accepté. Types acceptés : ${types}.`),
  saveFailed: name => t(`${name} n'a pas pu être enregistré avant l'envoi.`),
  onlyFolders: t(
    'Un dossier ne se soumet pas : choisissez les fichiers qu’il contient.'
  ),

  panelTitle: 'Contrôle de sortie',
  panelName: 'Mes soumissions au contrôle de sortie',
  empty: 'Aucune soumission pour ce projet.',
  emptyHow: t(
    'Pour faire sortir un tableau, une figure ou un notebook : clic droit sur le fichier, puis « Soumettre au contrôle de sortie… ».'
  ),
  loading: 'Chargement…',
  panelError: t("La liste des soumissions n'a pas pu être lue."),
  retry: 'Réessayer',
  stale: t('La liste n’a pas pu être actualisée ; voici la dernière connue.'),
  number: number => `N° ${number}`,
  state: state => STATES[state]?.[0] ?? state,
  stateHint: state => STATES[state]?.[1] ?? '',
  submittedAt: 'Déposée le',
  replaces: number => `Remplace le n° ${number}`,
  replacedBy: number => `Remplacée par le n° ${number}`,
  replacesUnknown: 'Remplace une soumission précédente',
  replacedByUnknown: 'Remplacée par une soumission plus récente',
  comments: 'Commentaires du contrôle',
  decision: decision => DECISIONS[decision.toLowerCase()] ?? decision,
  withdraw: 'Retirer',
  withdrawTitle: number => t(`Retirer la soumission n° ${number} ?`),
  withdrawBody: t(
    'Elle ne sera pas contrôlée. Vous pourrez en faire une nouvelle.'
  ),
  withdrawConfirm: 'Retirer la soumission',
  withdrawn: number => `Soumission n° ${number} retirée.`,
  resubmit: 'Soumettre à nouveau…',
  download: 'Télécharger depuis le portail',
  downloadHow: t(
    "Le portail s'ouvre à la place du bureau, qui continue ; vos documents sont enregistrés avant. Ou copiez cette adresse dans un autre onglet :"
  ),
  copyAddress: t("Copier l'adresse"),
  addressCopied: 'Adresse copiée',
  stateChanged: (number, state) =>
    t(
      `Soumission n° ${number} : ${(STATES[state]?.[0] ?? state).toLowerCase()}.`
    ),

  size: bytes => wordSize(bytes, 'fr'),
  moment: iso => wordMoment(iso, 'fr')
};
