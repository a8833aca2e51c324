/// Where the gradients of several workers meet: each trains the same network, from the same parameters, on its part of
/// every batch, and follows the sum.
///
/// An implementation is one worker's end of the connection. Each worker calls ``sum(_:)`` as often as the others and
/// with as many numbers; so each must take as many steps, accumulate as many batches for each, and evaluate as often.
public protocol AllReduce<S>: Sendable {
    associatedtype S: Scalar

    /// Replaces numbers by their sums over all workers: the same bits for each of them, and each time.
    ///
    /// - Parameter values: `[1, count]`; nobody else holds it, so that it may be written in place.
    func sum(_ values: inout Matrix<S>)
}
