import {
  defaultGrpcRetryOptions,
  makeGrpcRetryInterceptor,
  type ConnectionOptions,
} from '@temporalio/client';

type Interceptor = NonNullable<ConnectionOptions['interceptors']>[number];
type NextCall = Parameters<Interceptor>[1];
type Call = ReturnType<NextCall>;

/** gRPC's code for what its caller called off. */
const CANCELLED = 1;

/**
 * What calls to Temporal pass through: the client's own retries, over a channel that may be closed meanwhile. The client makes a further
 * attempt from a timer, where the error of a closed channel would reach nobody and end the process.
 */
export function connectionInterceptors(): Interceptor[] {
  // Of what an interceptor returns only the interface is used; the type asks for gRPC's own class.
  return [makeGrpcRetryInterceptor(defaultGrpcRetryOptions()), endWithChannel as Interceptor];
}

function endWithChannel(options: Parameters<NextCall>[0], nextCall: NextCall): Call {
  try {
    return nextCall(options);
  } catch (error) {
    return closedCall(error instanceof Error ? error.message : String(error));
  }
}

function closedCall(details: string): Call {
  const nothing = (): void => undefined;
  return {
    start(metadata, listener) {
      setTimeout(() => {
        listener?.onReceiveMessage?.(null);
        listener?.onReceiveStatus?.({ code: CANCELLED, details, metadata });
      });
    },
    sendMessage: nothing,
    sendMessageWithContext: nothing,
    startRead: nothing,
    halfClose: nothing,
    cancelWithStatus: nothing,
    getPeer: () => '',
    getAuthContext: () => null,
  };
}
