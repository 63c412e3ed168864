import ts from 'typescript';

/** One breach of a house rule: the rule's name and where, as `line`. */
export interface Finding {
  rule: SourceRule;
  line: number;
}

export type SourceRule =
  | 'any'
  | 'clock'
  | 'skipped'
  | 'environment'
  | 'focused'
  | 'non-null'
  | 'randomness'
  | 'ts-comment';

/** Reads one TypeScript file and finds what the house rules speak of. Which rule holds where is the caller's to say. */
export function findings(text: string): Finding[] {
  const source = ts.createSourceFile('file.ts', text, ts.ScriptTarget.ES2022, true);
  const found: Finding[] = [];
  const lineOf = (position: number): number => source.getLineAndCharacterOfPosition(position).line + 1;

  const visit = (node: ts.Node): void => {
    const rule = ruleBrokenBy(node);
    if (rule !== null) found.push({ rule, line: lineOf(node.getStart(source)) });
    ts.forEachChild(node, visit);
  };
  visit(source);
  for (const { index } of text.matchAll(/\/[/*]\s*@ts-(ignore|expect-error|nocheck)/g)) {
    found.push({ rule: 'ts-comment', line: lineOf(index) });
  }
  return found;
}

function ruleBrokenBy(node: ts.Node): SourceRule | null {
  if (node.kind === ts.SyntaxKind.AnyKeyword) return 'any';
  if (ts.isNonNullExpression(node)) return 'non-null';
  if ((ts.isVariableDeclaration(node) || ts.isPropertyDeclaration(node)) && node.exclamationToken)
    return 'non-null';
  if (readsEnvironment(node)) return 'environment';
  if (readsClock(node)) return 'clock';
  if (readsRandomness(node)) return 'randomness';
  return testRuleBrokenBy(node);
}

function memberOf(node: ts.Node, object: string): string | null {
  if (ts.isPropertyAccessExpression(node) && node.expression.getText() === object) return node.name.text;
  if (!ts.isElementAccessExpression(node) || node.expression.getText() !== object) return null;
  return ts.isStringLiteralLike(node.argumentExpression) ? node.argumentExpression.text : null;
}

function readsEnvironment(node: ts.Node): boolean {
  if (memberOf(node, 'process') === 'env' || memberOf(node, 'globalThis.process') === 'env') return true;
  if (ts.isImportSpecifier(node)) {
    const from = node.parent.parent.parent.moduleSpecifier.getText().slice(1, -1);
    return /^(node:)?process$/.test(from) && (node.propertyName ?? node.name).text === 'env';
  }
  return (
    ts.isBindingElement(node) &&
    (node.propertyName ?? node.name).getText() === 'env' &&
    ts.isVariableDeclaration(node.parent.parent) &&
    node.parent.parent.initializer?.getText() === 'process'
  );
}

function readsClock(node: ts.Node): boolean {
  if (memberOf(node, 'Date') === 'now' || memberOf(node, 'performance') !== null) return true;
  const callsDate =
    (ts.isNewExpression(node) || ts.isCallExpression(node)) && node.expression.getText() === 'Date';
  return callsDate && (node.arguments ?? []).length === 0;
}

function readsRandomness(node: ts.Node): boolean {
  if (memberOf(node, 'Math') === 'random' || memberOf(node, 'crypto') !== null) return true;
  return ts.isImportDeclaration(node) && /^.(node:)?crypto.$/.test(node.moduleSpecifier.getText());
}

const TEST_FUNCTIONS = new Set(['describe', 'it', 'test']);

/** A test may be left out only by a condition that is looked up: `const itWithDocker = docker ? it : it.skip`. */
function testRuleBrokenBy(node: ts.Node): SourceRule | null {
  if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
    if (/^(fdescribe|fit|ftest)$/.test(node.expression.text)) return 'focused';
    return /^(xdescribe|xit|xtest)$/.test(node.expression.text) ? 'skipped' : null;
  }
  if (!ts.isPropertyAccessExpression(node) || !TEST_FUNCTIONS.has(node.expression.getText())) return null;
  if (node.name.text === 'only') return 'focused';
  if (!['skip', 'todo', 'failing'].includes(node.name.text)) return null;
  const chosen =
    ts.isConditionalExpression(node.parent) &&
    !/^(true|false|\d+|!\d+)$/.test(node.parent.condition.getText());
  return chosen && node.name.text === 'skip' ? null : 'skipped';
}
