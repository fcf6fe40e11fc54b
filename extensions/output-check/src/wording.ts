/**
 * Sizes and moments, worded the same way in both catalogues.
 */

const UNITS = {
  fr: ['octets', 'ko', 'Mo', 'Go'],
  en: ['bytes', 'kB', 'MB', 'GB']
};

/** A size in bytes in decimal units, one decimal below ten: "1,2 Mo", "640 kB". */
export function wordSize(bytes: number, language: 'fr' | 'en'): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < 3) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && value < 10 ? 1 : 0;
  const number = new Intl.NumberFormat(language, {
    maximumFractionDigits: digits
  }).format(value);
  const name = UNITS[language][unit];
  const singular = unit === 0 && bytes < 2 ? name.replace(/s$/, '') : name;
  return `${number}\u00a0${singular}`;
}

/** A moment in the reader's zone, or the text itself when it is not a date. */
export function wordMoment(iso: string, language: 'fr' | 'en'): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) {
    return iso;
  }
  return new Intl.DateTimeFormat(language === 'fr' ? 'fr' : 'en-GB', {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit'
  }).format(date);
}

/** French typography: no-break spaces before ; : ? ! and inside guillemets. */
export function typographic(text: string): string {
  return text
    .replace(/ ([;:?!»])/g, '\u00a0$1')
    .replace(/« /g, '«\u00a0')
    .replace(/'/g, '’');
}
