import { ServerConnection } from '@jupyterlab/services';
import {
  ApiError,
  fieldOf,
  readError,
  SubmissionApi,
  type ISubmissionForm
} from '../api';

const FORM: ISubmissionForm = {
  what: 'Table 2',
  population: '',
  variables: '',
  counts: '',
  purpose: '',
  note: '',
  supersedes: null
};

interface ICall {
  url: string;
  method: string;
  body: string | null;
  language: string | null;
}

/** A desk server that answers with one response and keeps what it was asked. */
function answering(respond: () => Response): {
  api: SubmissionApi;
  calls: ICall[];
} {
  const calls: ICall[] = [];
  const fetch = async (
    input: RequestInfo | URL,
    init?: RequestInit
  ): Promise<Response> => {
    const request = new Request(input as RequestInfo, init);
    calls.push({
      // JupyterLab adds the time, against caches.
      url: request.url.replace(/\?\d+$/, ''),
      method: request.method,
      body: (await request.text()) || null,
      language: request.headers.get('Accept-Language')
    });
    return respond();
  };
  const settings = ServerConnection.makeSettings({
    baseUrl: 'http://desk.test/user/ana/cps-wages/',
    fetch
  });
  return { api: new SubmissionApi(settings, 'fr'), calls };
}

function json(status: number, body: unknown): () => Response {
  return () => new Response(JSON.stringify(body), { status });
}

/** The ApiError that a call rejects with. */
async function refusal(call: Promise<unknown>): Promise<ApiError> {
  const error: unknown = await call.then(
    () => new Error('it was accepted'),
    (reason: unknown) => reason
  );
  expect(error).toBeInstanceOf(ApiError);
  return error as ApiError;
}

describe('refusals', () => {
  it.each([
    ['a body that is no JSON', () => new Response('<html>', { status: 502 })],
    ['an empty body', () => new Response('', { status: 500 })],
    ['another shape', json(403, { message: 'Forbidden' })],
    ['an error without a code', json(400, { error: { message: 'no' } })],
    ['a list', json(200, [])],
    ['nothing of a session', json(200, { project: {} })],
    [
      'an end that is no date',
      json(200, { project: {}, limits: {}, ends_at: 'soon' })
    ]
  ])('%s is unexpected, not a crash', async (_, respond) => {
    const { api } = answering(respond);
    expect(await refusal(api.session())).toMatchObject({
      code: 'unexpected',
      message: '',
      field: null
    });
  });

  it('a list that is missing is unexpected', async () => {
    const { api } = answering(json(200, { submissions: null }));
    expect((await refusal(api.submissions())).code).toBe('unexpected');
  });

  it('a server that does not answer is unreachable', async () => {
    const { api } = answering(() => {
      throw new TypeError('Failed to fetch');
    });
    expect(await refusal(api.submissions())).toMatchObject({
      code: 'unreachable',
      status: 0
    });
  });

  it('the server’s own words, code and field are kept', async () => {
    const { api } = answering(
      json(413, {
        error: { code: 'too_large', message: 'Trop grand.', field: 'files[0]' }
      })
    );
    expect(await refusal(api.submit(['a.csv'], FORM))).toMatchObject({
      code: 'too_large',
      message: 'Trop grand.',
      field: 'files[0]',
      status: 413
    });
  });

  it.each([
    ['what', 'what'],
    ['form.what', 'what'],
    ['form.counts', 'counts'],
    ['files[0]', 'files'],
    ['files', 'files'],
    ['file', 'files'],
    ['paths[12]', 'files'],
    ['paths', 'files'],
    ['supersedes', null],
    ['constructor', null],
    ['', null],
    [null, null]
  ])('about %s is shown at %s', (field, expected) => {
    const error = readError(422, { error: { code: 'x', message: 'y', field } });
    expect(fieldOf(error)).toBe(expected);
  });
});

describe('calls', () => {
  const SUBMISSION = { id: 's1', number: 1 };

  it('go under vitrine/, in the reader’s language', async () => {
    const { api, calls } = answering(json(200, { submissions: [SUBMISSION] }));
    expect(await api.submissions()).toEqual([SUBMISSION]);
    expect(calls).toEqual([
      {
        url: 'http://desk.test/user/ana/cps-wages/vitrine/submissions',
        method: 'GET',
        body: null,
        language: 'fr'
      }
    ]);
  });

  it('submit names files, and never carries their content', async () => {
    const { api, calls } = answering(json(201, SUBMISSION));
    await api.submit(['out/table 2.csv'], FORM);
    expect(calls[0].method).toBe('POST');
    expect(JSON.parse(calls[0].body ?? '')).toEqual({
      paths: ['out/table 2.csv'],
      form: FORM
    });
  });

  it('withdraw escapes the id', async () => {
    const { api, calls } = answering(json(200, SUBMISSION));
    await api.withdraw('../session?x');
    expect(calls[0].url).toBe(
      'http://desk.test/user/ana/cps-wages/vitrine/submissions/..%2Fsession%3Fx/withdraw'
    );
    expect(calls[0].method).toBe('POST');
  });
});

describe('before submitting', () => {
  const answer = {
    left: 2,
    files: [
      {
        name: 'a.csv',
        declared: true,
        findings: [{ rule: 'x', message: 'Mend it.', remedies: [] }]
      }
    ]
  };

  it('asks about paths and form', async () => {
    const { api, calls } = answering(json(200, answer));
    await expect(api.precheck(['a.csv'], FORM)).resolves.toEqual(answer);
    expect(calls).toEqual([
      {
        url: 'http://desk.test/user/ana/cps-wages/vitrine/prechecks',
        method: 'POST',
        body: JSON.stringify({ paths: ['a.csv'], form: FORM }),
        language: 'fr'
      }
    ]);
  });

  it.each([
    ['nothing', {}],
    ['no number', { files: [] }],
    ['a file without findings', { left: 1, files: [{ name: 'a' }] }],
    ['a finding without a sentence', { left: 1, files: [{ findings: [{}] }] }]
  ])('%s is unexpected', async (_, body) => {
    const { api } = answering(json(200, body));
    const error = await refusal(api.precheck([], FORM));
    expect(error.code).toBe('unexpected');
  });
});
