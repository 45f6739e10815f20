import {
  type Adaptation,
  booleanLogprobsToInteger,
  developerToSystem,
  inTurn,
  stopToList,
} from '../openai/adaptations.ts'

/** The deviations of Together's requests from OpenAI's. Together ignores unknown fields, so they are forwarded. */
export const adaptForTogether: Adaptation = inTurn([developerToSystem, stopToList, booleanLogprobsToInteger])
