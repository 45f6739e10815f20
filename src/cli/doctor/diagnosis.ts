/** A check, its result, and advice if it is not good. */
export type Diagnosis = {
  /** `node`, `port`, `provider together`. */
  readonly of: string
  /** `bad`: the gateway cannot serve. `odd`: it can serve, but something should be checked. */
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
