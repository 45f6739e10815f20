import { signal } from '@preact/signals'

/** The gateway did not answer the last request, so the page may be out of date. */
export const isOffline = signal(false)

/** Changes when the gateway is reachable again, so that pages reload their data. */
export const returns = signal(0)

/** When the data on the page was last known to be current. */
export const lastAnswerAt = signal(Date.now())

/** A refusal of the gateway. Without a status, there was no answer at all. */
export class Refusal extends Error {
  readonly status: number | undefined
  readonly code: string | undefined
  /** The parameter of the request that it is about. */
  readonly param: string | undefined

  constructor(message: string, { status, code, param, cause }: RefusalFacts = {}) {
    super(message, { cause })
    this.name = 'Refusal'
    this.status = status
    this.code = code
    this.param = param
  }
}

type RefusalFacts = {
  readonly status?: number
  readonly code?: string | undefined
  readonly param?: string | undefined
  readonly cause?: unknown
}

export type Ask = {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly body?: object
  readonly signal?: AbortSignal
}

/** Sends a request to the admin API. Rejects with a Refusal, or with the reason of an abort. */
export async function ask<Answer>(path: string, { method = 'GET', body, signal }: Ask = {}): Promise<Answer> {
  const response = await reach(path, {
    method,
    credentials: 'same-origin',
    // Marks requests of the console's pages: no other page can send this header.
    headers: {
      'x-pandotate-console': '1',
      ...(method === 'GET' || method === 'DELETE' ? {} : { 'content-type': 'application/json' }),
    },
    ...(method === 'GET' || method === 'DELETE' ? {} : { body: JSON.stringify(body ?? {}) }),
    ...(signal === undefined ? {} : { signal }),
  })
  const answer = await readJson(response)
  if (response.ok) return answer as Answer
  const refusal = refusalOf(answer, response.status)
  if (response.status === 401) for (const tell of listeners) tell(refusal)
  throw refusal
}

/** Fetches, and notes whether the gateway is reachable. */
export async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    const response = await fetch(path, init)
    if (isOffline.value) returns.value++
    isOffline.value = false
    lastAnswerAt.value = Date.now()
    return response
  } catch (thrown) {
    if (init.signal?.aborted) throw thrown
    if (!isOffline.value) setTimeout(lookAgain, lookAgainMs)
    isOffline.value = true
    throw new Refusal('The gateway cannot be reached.', { cause: thrown })
  }
}

function lookAgain(): void {
  fetch('/livez').then(
    () => {
      isOffline.value = false
      returns.value++
    },
    () => setTimeout(lookAgain, lookAgainMs),
  )
}

const lookAgainMs = 3000

/** Calls the listener when the gateway reports that there is no session. */
export function onSignedOut(listener: (refusal: Refusal) => void): void {
  listeners.add(listener)
}

const listeners = new Set<(refusal: Refusal) => void>()

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json()
  } catch {
    return undefined
  }
}

function refusalOf(answer: unknown, status: number): Refusal {
  const { error } = (answer ?? {}) as {
    error?: { message?: string; code?: string | null; param?: string | null }
  }
  return new Refusal(error?.message ?? `The gateway answered ${status}.`, {
    ...{ status, code: error?.code ?? undefined, param: error?.param ?? undefined },
  })
}
