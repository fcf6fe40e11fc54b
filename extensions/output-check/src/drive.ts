/**
 * The desk's drive: files are read and written as ever, but no address is
 * handed out from which a file could be fetched.
 */
import { Drive } from '@jupyterlab/services';
import { PathExt } from '@jupyterlab/coreutils';
import type { NbConvert, ServerConnection } from '@jupyterlab/services';

/** Pictures a page may show inline, by file name ending. */
const IMAGES: ReadonlyMap<string, string> = new Map([
  ['.png', 'image/png'],
  ['.jpg', 'image/jpeg'],
  ['.jpeg', 'image/jpeg'],
  ['.gif', 'image/gif'],
  ['.webp', 'image/webp'],
  ['.bmp', 'image/bmp'],
  ['.svg', 'image/svg+xml']
]);

/** Larger pictures are not inlined: a data URI is held in memory several times. */
const MAX_IMAGE_BASE64 = 20_000_000;

/** The image type of a file name, or null. */
export function imageType(path: string): string | null {
  return IMAGES.get(PathExt.extname(path).toLowerCase()) ?? null;
}

/** Refuses: this drive gives no address for this file. */
export class NoAddress extends Error {
  constructor(path: string) {
    super(`No address is given for ${path}: files leave by output check.`);
    this.name = 'NoAddress';
  }
}

/** A drive whose `getDownloadUrl` answers with the picture itself, or refuses. */
export class DeskDrive extends Drive {
  /**
   * A `data:` URI for a picture, so that Markdown still shows it.
   *
   * @throws NoAddress for anything else
   */
  override async getDownloadUrl(localPath: string): Promise<string> {
    const type = imageType(localPath);
    if (type === null) {
      throw new NoAddress(localPath);
    }
    const model = await this.get(localPath, {
      type: 'file',
      format: type === 'image/svg+xml' ? 'text' : 'base64',
      content: true
    });
    const content: unknown = model.content;
    if (typeof content !== 'string' || content.length > MAX_IMAGE_BASE64) {
      throw new NoAddress(localPath);
    }
    if (model.format === 'base64') {
      return `data:${type};base64,${content.replace(/\s/g, '')}`;
    }
    return `data:${type};charset=utf-8,${encodeURIComponent(content)}`;
  }
}

/** A converter that offers no format and converts nothing. */
export class NoConversion implements NbConvert.IManager {
  constructor(readonly serverSettings: ServerConnection.ISettings) {}

  async getExportFormats(): Promise<NbConvert.IExportFormats> {
    return {};
  }

  async exportAs(options: NbConvert.IExportOptions): Promise<void> {
    throw new NoAddress(options.path);
  }
}
