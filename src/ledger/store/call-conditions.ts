import type { CallFilters } from './call-filters.ts'
import { storedName, storedText } from './stored-text.ts'

/** The SQL that differs between the databases. */
export type Writing = {
  /** The placeholder of the nth value, from 1. */
  readonly place: (nth: number) => string
  /** A member of a call's line by its path. */
  readonly text: (path: readonly string[]) => string
  readonly number: (name: 'costNanoUsd' | 'totalMs') => string
  /** The elements of a list of a call's line, as rows with a `value`. */
  readonly elements: (member: string) => string
  /** The function that returns the position of one text in another, from 1; 0 if it is not there. */
  readonly position: string
  /** The columns that these are read from. */
  readonly lineColumns: string
}

/** A condition of a query: its text, followed by its value, if it has one, and its end. */
export type Condition = {
  readonly text: string
  readonly value?: string | number | undefined
  readonly end?: string | undefined
}

/**
 * The filters of a query in two parts: those answered by one index, and the others. The calls that the index finds are
 * checked against the others, a bounded number at a time: with both in one query, a database would check all of them.
 */
export type Conditions = { readonly indexed: readonly Condition[]; readonly others: readonly Condition[] }

export function conditionsOf(filters: CallFilters, members: Members): Conditions {
  const { id, key, model, team, status, failed, failure } = filters
  const isFailure = failed === true || failure !== undefined || (status ?? 0) >= 400
  // Usually from the fewest calls to the most.
  const [indexed = [], ...rest] = [
    ...valued('id =', id && storedText(id)),
    ...valued('"key" =', key && storedName(key)),
    // A partial index is used only by a query with its condition.
    ...(isFailure ? [[{ text: 'status >= 400' }]] : []),
    ...valued('model =', model && storedName(model)),
    ...valued('team =', team && storedName(team)).map((conditions) => [
      { text: `team <> ''` },
      ...conditions,
    ]),
  ]
  const others = [...rest, ...valued('status =', status)].flat()
  return { indexed, others: [...others, ...lineConditions(filters, members)] }
}

/** Whether the lines of calls have to be read. */
export function isLineRead(filters: CallFilters): boolean {
  return lineConditions(filters, plain).length > 0
}

/** In the order of the text: placeholders without numbers are matched by order. */
export function written(conditions: readonly Condition[], add: (value: string | number) => string): string {
  return conditions
    .map(({ text, value, end = '' }) => (value === undefined ? text : `${text} ${add(value)}${end}`))
    .join(' and ')
}

/** How a member of a line is written. */
type Members = Pick<Writing, 'text' | 'number' | 'elements' | 'position'>

/** For callers that need the number of conditions, not their SQL. */
export const plain: Members = { text: () => '', number: () => '', elements: () => '', position: '' }

function valued(text: string, value: string | number | undefined): readonly (readonly Condition[])[] {
  return value === undefined ? [] : [[{ text, value }]]
}

function lineConditions(filters: CallFilters, members: Members): readonly Condition[] {
  const { provider, deployment, failure, tags = [], leastNanoUsd, mostNanoUsd, leastMs, mostMs } = filters
  const { text, number, elements, position } = members
  const failurePath = failure === 'left' ? ['outcome'] : ['failure', 'kind']
  const ofTag = `exists (select 1 from ${elements('tags')} where value =`
  return [
    ...named({ text: `${text(['provider'])} =`, value: provider }, position),
    ...named({ text: `${text(['deployment'])} =`, value: deployment }, position),
    ...named({ text: `${text(failurePath)} =`, value: failure }, position),
    ...tags.flatMap((value) => named({ text: ofTag, value, end: ')' }, position)),
    ...valued(`${number('costNanoUsd')} >=`, leastNanoUsd).flat(),
    ...valued(`${number('costNanoUsd')} <=`, mostNanoUsd).flat(),
    ...valued(`${number('totalMs')} >=`, leastMs).flat(),
    ...valued(`${number('totalMs')} <=`, mostMs).flat(),
  ]
}

/** A line that does not contain the text is not parsed: parsing takes ten times as long as searching. */
function named(
  exact: Condition & { readonly value?: string | undefined },
  position: string,
): readonly Condition[] {
  if (exact.value === undefined) return []
  const value = storedText(exact.value)
  const condition = { ...exact, value }
  if (!isPlain.test(value)) return [condition]
  return [{ text: `${position}(line,`, value: `"${value}"`, end: ') > 0' }, condition]
}

/** Text that JSON does not escape. */
const isPlain = /^[ !#-[\]-~]*$/
