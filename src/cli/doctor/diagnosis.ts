/** What was looked at, how it is, and what to do where it is not well. */
export type Diagnosis = {
  /** `node`, `port`, `provider together`. */
  readonly of: string
  /** `bad`: the gateway cannot serve so, or not there. `odd`: it can, but look at it. */
  readonly state: 'good' | 'odd' | 'bad'
  readonly found: string
  readonly advice?: string
}

export function good(of: string, found: string): Diagnosis {
  return { of, state: 'good', found }
}

export function odd(of: string, found: string, advice: string): Diagnosis {
  return { of, state: 'odd', found, advice }
}

export function bad(of: string, found: string, advice: string): Diagnosis {
  return { of, state: 'bad', found, advice }
}
