export { type LogContext, logContext, withLogContext } from './context.ts';
export { createLogger, type Logger, type LogLevel, silentLogger } from './logger.ts';
