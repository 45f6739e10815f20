/** A check, its result, and what to do if it is not good. */
export type Diagnosis = {
  /** `node`, `port`, `provider together`. */
  readonly of: string
  /** `bad`: the gateway cannot serve like this. `odd`: it can, but it is worth a look. */
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
