/** From outside: a server or a driver may answer with any amount of text. */
const MAX_MESSAGE_LENGTH = 2000;
const MAX_CAUSES = 5;

/** The message with those of the causes that it does not contain yet. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  let text = '';
  for (const message of withCauses(error).map(ownMessage)) {
    if (!text.includes(message)) text = text === '' ? message : `${text}: ${message}`;
  }
  return text.length > MAX_MESSAGE_LENGTH ? `${text.slice(0, MAX_MESSAGE_LENGTH)}…` : text;
}

/** The error and its causes, up to a limit, because a cause may refer to itself. */
export function withCauses(error: Error): Error[] {
  const found = [error];
  for (let { cause } = error; cause instanceof Error && found.length <= MAX_CAUSES; { cause } = cause)
    found.push(cause);
  return found;
}

/** Node reports failed attempts to connect to several addresses as one error without a message. */
function ownMessage(error: Error): string {
  if (error.message !== '' || !(error instanceof AggregateError)) return error.message;
  return [...new Set(error.errors.map(describeError))].join(', ');
}
