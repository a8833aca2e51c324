import Sluice

/// The losses of every epoch.
struct LossHistory<S: Scalar>: Sendable {
    /// Epoch - 1 -> the loss on the training set, before the update.
    private(set) var train: [S] = []
    /// Epoch - 1 -> the loss on the test set, after the update.
    private(set) var test: [S] = []

    /// - Parameter epochs: how many to make room for.
    init(epochs: Int) {
        train.reserveCapacity(epochs)
        test.reserveCapacity(epochs)
    }

    mutating func append(train: S, test: S) {
        self.train.append(train)
        self.test.append(test)
    }

    /// The losses as a table, each number with as many digits as give it back exactly.
    var csv: String {
        var text = "iteration,train_loss,test_loss\n"
        text.reserveCapacity(48 * (train.count + 1))
        for index in train.indices { text += "\(index + 1),\(train[index]),\(test[index])\n" }
        return text
    }
}
