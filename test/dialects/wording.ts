/** OpenAI's sentence for a value of the wrong type. */
export function wrong(param: string, expected: string, given: string): string {
  return `Invalid type for '${param}': expected ${expected}, but got ${given} instead.`
}

export function missing(param: string): string {
  return `Missing required parameter: '${param}'.`
}

export function empty(param: string): string {
  return `Invalid '${param}': empty array. Expected an array with minimum length 1, but got an empty array instead.`
}

export function low(param: string, kind: string, bound: number, given: number): string {
  return `Invalid '${param}': ${kind} below minimum value. Expected a value >= ${bound}, but got ${given} instead.`
}

export function high(param: string, kind: string, bound: number, given: number | string): string {
  return `Invalid '${param}': ${kind} above maximum value. Expected a value <= ${bound}, but got ${given} instead.`
}
