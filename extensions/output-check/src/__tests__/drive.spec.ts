import { ServerConnection } from '@jupyterlab/services';
import { DeskDrive, imageType, NoAddress, NoConversion } from '../drive';

/** A drive whose server has one file of one content. */
function drive(
  content: string,
  format: 'base64' | 'text'
): {
  drive: DeskDrive;
  asked: string[];
} {
  const asked: string[] = [];
  const fetch = async (input: RequestInfo | URL): Promise<Response> => {
    asked.push(new URL((input as Request).url ?? String(input)).pathname);
    const model = {
      name: 'figure',
      path: 'figure',
      type: 'file',
      created: '2026-11-23T10:00:00Z',
      last_modified: '2026-11-23T10:00:00Z',
      writable: true,
      mimetype: null,
      content,
      format
    };
    return new Response(JSON.stringify(model), { status: 200 });
  };
  const serverSettings = ServerConnection.makeSettings({
    baseUrl: 'http://desk.test/',
    fetch
  });
  return { drive: new DeskDrive({ serverSettings }), asked };
}

describe('the drive gives no address of a file', () => {
  it.each([
    'table.csv',
    'n.ipynb',
    'page.html',
    'doc.pdf',
    'movie.mp4',
    'png',
    'figure.png.csv',
    ''
  ])('of %s', async path => {
    const { drive: desk, asked } = drive('', 'text');
    await expect(desk.getDownloadUrl(path)).rejects.toBeInstanceOf(NoAddress);
    expect(asked).toEqual([]);
  });

  it('of a picture larger than it inlines', async () => {
    const { drive: desk } = drive('A'.repeat(20_000_001), 'base64');
    await expect(desk.getDownloadUrl('f.png')).rejects.toBeInstanceOf(
      NoAddress
    );
  });
});

describe('the drive shows pictures', () => {
  it('as the picture itself, read as any file is', async () => {
    const { drive: desk, asked } = drive('iVBO\nRw0K\n', 'base64');
    expect(await desk.getDownloadUrl('sub/f.PNG')).toBe(
      'data:image/png;base64,iVBORw0K'
    );
    expect(asked).toEqual(['/api/contents/sub/f.PNG']);
  });

  it('also SVG', async () => {
    const { drive: desk } = drive('<svg>#</svg>', 'text');
    expect(await desk.getDownloadUrl('f.svg')).toBe(
      'data:image/svg+xml;charset=utf-8,%3Csvg%3E%23%3C%2Fsvg%3E'
    );
  });

  it.each([
    ['a.jpeg', 'image/jpeg'],
    ['a.csv', null]
  ])('type of %s', (path, type) => {
    expect(imageType(path)).toBe(type);
  });
});

describe('the converter', () => {
  const converter = new NoConversion(ServerConnection.makeSettings());

  it('offers no format', async () => {
    expect(await converter.getExportFormats()).toEqual({});
  });

  it('converts nothing', async () => {
    await expect(
      converter.exportAs({ format: 'html', path: 'n.ipynb' })
    ).rejects.toBeInstanceOf(NoAddress);
  });
});
