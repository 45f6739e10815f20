import { type FaultCase, faultTitles } from './fault-case.ts'

/** The table of all cases, as the documentation shows it. */
export function tableOf(cases: readonly FaultCase[]): string {
  const rows = cases.map(
    ({ fault, name, outcome }) => `| ${fault} | ${faultTitles[fault - 1]} | ${name} | ${outcome} |`,
  )
  return ['| | What goes wrong | How | What comes of it |', '|---|---|---|---|', ...rows].join('\n')
}

/** The page: the table, and what the last long run had to tell. */
export function pageOf(cases: readonly FaultCase[], notes: readonly string[]): string {
  return `# Faults

What goes wrong between a caller and an upstream, and what comes of it here. Every row is a case of the chaos suite: an
upstream of bare sockets misbehaves, a gateway in a process of its own stands before it, and callers call. A row holds
when the caller sees what it says, the upstream was asked as often as it should be, the record tells how each attempt
ended, and after it the process is alive, its file descriptors and connections are as many as before, the upstream's
own bill agrees with the records attempt by attempt (or the record says that it cannot know), and neither keys nor
prompts nor answers are in a log, an error, a header or the metrics.

\`npm run chaos\` plays them all in the long form and writes this page. The tests play a shorter one.

${tableOf(cases)}

## The last long run

${notes.map((note) => `- ${note}`).join('\n')}
`
}
