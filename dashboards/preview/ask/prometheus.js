// The HTTP API of a Prometheus.

/** Prometheus did not answer, or refused a query; the message is one line. */
export class QueryError extends Error {}

export class Prometheus {
  constructor(url) {
    this.url = url.replace(/\/+$/, '');
  }

  /** Series with one point each. */
  async instant(query, time) {
    return asSeries(await this.#get('query', { query, time }));
  }

  /** Series with their points; both ends lie on multiples of the step, so that a second look shows the same points. */
  async range(query, { from, to }, step) {
    const start = Math.floor(from / step) * step;
    const end = Math.floor(to / step) * step;
    return asSeries(await this.#get('query_range', { query, start, end, step }));
  }

  /** The values of a label, of all series or of those that a selector chooses. */
  async labelValues(label, { from, to }, selector) {
    return this.#get(`label/${label}/values`, {
      start: from,
      end: to,
      ...(selector && { 'match[]': selector }),
    });
  }

  /** Throws a QueryError unless a Prometheus answers. */
  async check() {
    await this.#get('query', { query: 'vector(1)' });
  }

  async #get(path, parameters) {
    const address = `${this.url}/api/v1/${path}?${new URLSearchParams(parameters)}`;
    let answer;
    try {
      answer = await fetch(address, { signal: AbortSignal.timeout(30_000) });
    } catch (error) {
      throw new QueryError(`${this.url} does not answer: ${error.cause?.message || error.message}`);
    }
    const body = await answer.json().catch(() => undefined);
    if (body?.status !== 'success') {
      throw new QueryError(
        body?.error ?? `${this.url} answers ${answer.status} and no JSON: is it a Prometheus?`,
      );
    }
    return body.data;
  }
}

/** Vectors, matrices and scalars in one form: labels, and [seconds, text of the value] pairs. */
function asSeries({ resultType, result }) {
  if (resultType === 'scalar') return [{ labels: {}, points: [result] }];
  return result.map(({ metric, value, values }) => ({ labels: metric, points: values ?? [value] }));
}
