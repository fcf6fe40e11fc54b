import { chooseLanguage, messagesIn, type IMessages } from '../messages';
import { FORM_FIELDS } from '../api';
import { wordMoment, wordSize } from '../wording';

const STATES = [
  'SUBMITTED',
  'UNDER_REVIEW',
  'RETURNED',
  'APPROVED',
  'REJECTED',
  'RELEASED',
  'WITHDRAWN'
];

describe('language', () => {
  it.each([
    ['default', ['fr-BE', 'en'], 'fr'],
    ['default', ['de', 'fr'], 'fr'],
    ['default', ['en-US'], 'en'],
    ['default', ['lb', 'de'], 'en'],
    ['default', [], 'en'],
    ['', ['fr'], 'fr'],
    ['fr_FR', ['en'], 'fr'],
    ['en', ['fr'], 'en'],
    // Chosen, but there is no catalogue: English, and not the browser's.
    ['de_DE', ['fr'], 'en']
  ])('with locale %s and browser %j is %s', (locale, browser, language) => {
    expect(chooseLanguage(locale, browser)).toBe(language);
  });
});

/** Every plain sentence of a catalogue, with its place. */
function sentences(words: object, path = ''): [string, string][] {
  return Object.entries(words).flatMap(([key, value]) => {
    const place = `${path}${key}`;
    if (typeof value === 'string') {
      return [[place, value] as [string, string]];
    }
    return typeof value === 'object' && value !== null
      ? sentences(value, `${place}.`)
      : [];
  });
}

describe('catalogues', () => {
  const french = messagesIn('fr');
  const english = messagesIn('en');

  it('say the same things', () => {
    const places = (words: IMessages): string[] =>
      sentences(words).map(([place]) => place);
    expect(places(french)).toEqual(places(english));
    expect(Object.keys(french)).toEqual(Object.keys(english));
  });

  it.each(sentences(french))('say %s in both languages', (place, sentence) => {
    expect(sentence.trim()).not.toBe('');
    const other = new Map(sentences(english)).get(place);
    if (
      place !== 'fields.population.label' &&
      place !== 'fields.variables.label'
    ) {
      expect(sentence).not.toBe(other);
    }
  });

  it('use French typography', () => {
    for (const [, sentence] of sentences(french)) {
      expect(sentence).not.toMatch(/ [;:?!»]|« |'/);
    }
  });

  it.each(STATES)('have words for %s', state => {
    for (const words of [french, english]) {
      expect(words.state(state)).not.toBe(state);
      expect(words.stateHint(state)).not.toBe('');
    }
  });

  it('show an unknown state, tier or decision as it is', () => {
    expect(french.state('FROZEN')).toBe('FROZEN');
    expect(french.tierName('glass')).toContain('glass');
    expect(french.decision('abstain')).toBe('abstain');
  });

  it.each(['approve', 'return', 'reject', 'RETURN'])(
    'have words for the decision %s',
    decision => {
      expect(french.decision(decision)).not.toBe(decision);
    }
  );

  it('label every field', () => {
    for (const field of FORM_FIELDS) {
      expect(french.fields[field].label).not.toBe('');
      expect(french.fields[field].hint).not.toBe('');
    }
  });
});

describe('sizes and moments', () => {
  const NB = '\u00a0';

  it.each([
    [0, `0${NB}octet`, `0${NB}byte`],
    [1, `1${NB}octet`, `1${NB}byte`],
    [999, `999${NB}octets`, `999${NB}bytes`],
    [1234, `1,2${NB}ko`, `1.2${NB}kB`],
    [16_000_000, `16${NB}Mo`, `16${NB}MB`],
    [2_500_000_000, `2,5${NB}Go`, `2.5${NB}GB`]
  ])('of %d bytes', (bytes, french, english) => {
    expect(wordSize(bytes, 'fr')).toBe(french);
    expect(wordSize(bytes, 'en')).toBe(english);
  });

  it('gives a text that is no date back', () => {
    expect(wordMoment('soon', 'fr')).toBe('soon');
  });
});
