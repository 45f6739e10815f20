import {
  type Adaptation,
  booleanLogprobsToInteger,
  developerToSystem,
  inTurn,
  stopToList,
} from '../openai/adaptations.ts'

/** Where Together's requests differ from OpenAI's. It ignores unknown fields, so they pass through. */
export const adaptForTogether: Adaptation = inTurn([developerToSystem, stopToList, booleanLogprobsToInteger])
