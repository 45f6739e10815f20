import { fileURLToPath } from 'node:url'
import { type CallExpression, type Expression, type Node, SyntaxKind } from 'typescript/unstable/ast'
import { API } from 'typescript/unstable/sync'
import { expect, onTestFinished, test } from 'vitest'

/** Where values of a caller's or an upstream's JSON are at home. */
const rooms = /\/src\/(?:core|dialects|providers|http|admin|tenants|telemetry|simulator)\//

/**
 * A number that is kept by its digits, and an object without a prototype, have no way of their own to be text or a
 * number: `String(x)`, `Number(x)`, a template and `join` throw for them. Of what the types do not vouch for, `spell`
 * and `numberOf` make either (core/model/json/json.ts).
 */
test('nothing of unknown type is made text or a number by the language’s own ways', () => {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const api = new API({ cwd: root })
  onTestFinished(() => api.close())
  const snapshot = api.updateSnapshot({ openProjects: [`${root}tsconfig.json`] })
  const [project] = snapshot.getProjects()
  if (project === undefined) throw new Error('There is no project.')
  const { program, checker } = project
  const converted = program
    .getSourceFileNames()
    .filter((name) => rooms.test(name) && !name.includes('/node_modules/'))
    .flatMap((name) => convertedIn(program.getSourceFile(name)))
  expect(converted.length).toBeGreaterThan(300)
  const types = checker.getTypeAtLocation(converted)
  const bare = converted.flatMap((expression, at) => {
    const type = types[at]
    if (type === undefined || !isUnknown.test(checker.typeToString(type).replace(/"[^"]*"/g, ''))) return []
    return `${expression.getSourceFile().fileName.slice(root.length)}: ${expression.getText()}`
  })
  expect(bare).toEqual([])
})

const isUnknown = /\b(?:unknown|any|JsonObject|object)\b|\{\}/

/** Everything in a file that becomes text or a number, whatever it is. */
function convertedIn(file: Node | undefined): Expression[] {
  const found: Expression[] = []
  const visit = (node: Node): void => {
    if (node.kind === SyntaxKind.TemplateSpan)
      found.push((node as unknown as { expression: Expression }).expression)
    if (node.kind === SyntaxKind.CallExpression) found.push(...convertedBy(node as CallExpression))
    node.forEachChild(visit)
  }
  if (file !== undefined) visit(file)
  return found
}

function convertedBy({ expression: called, arguments: given }: CallExpression): readonly Expression[] {
  if (called.kind === SyntaxKind.Identifier) {
    const [first] = given
    return first !== undefined && isConversion(called) ? [first] : []
  }
  if (called.kind !== SyntaxKind.PropertyAccessExpression) return []
  const { name, expression } = called as unknown as { name: Node; expression: Expression }
  const isJoined = name.getText() === 'join' || (isSort.test(name.getText()) && given.length === 0)
  return isJoined || given.some(isConversion) ? [expression] : []
}

const isSort = /^(?:sort|toSorted)$/

function isConversion(node: Node): boolean {
  return node.kind === SyntaxKind.Identifier && /^(?:String|Number)$/.test(node.getText())
}
