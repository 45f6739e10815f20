import type { ComponentChildren } from 'preact'

export type Column<Row> = {
  readonly name: string
  readonly show: (row: Row) => ComponentChildren
  /** Numbers are aligned to the right. */
  readonly isNumber?: boolean
  /** Left out on narrow screens. */
  readonly isMinor?: boolean
}

type TableProps<Row> = {
  readonly caption: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
  /** Shown if there are no rows. */
  readonly none?: ComponentChildren
  readonly classOf?: (row: Row) => string | undefined
}

/** A table of at most some hundred rows. It scrolls sideways by itself. */
export function Table<Row>({ caption, columns, rows, keyOf, none, classOf }: TableProps<Row>) {
  if (rows.length === 0 && none !== undefined) return <>{none}</>
  const classes = columns.map(({ isNumber, isMinor }) =>
    [isNumber && 'number', isMinor && 'minor'].filter(Boolean).join(' '),
  )
  return (
    // biome-ignore lint/a11y/useSemanticElements: it is no set of fields.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys.
    <div class="table" role="group" aria-label={caption} tabIndex={0}>
      <table>
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ name }, at) => (
              <th key={name} scope="col" class={classes[at]}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)} class={classOf?.(row)}>
              {columns.map(({ name, show }, at) => (
                <td key={name} class={classes[at]}>
                  {show(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
