import Sluice


func go<S: Scalar>(_ s: S.Type, _ B: Int, _ T: Int, _ I: Int, _ H: Int, _ cell: Cell, backend: Backend = .default, threads: Int = 1) {
    var random = Random(seed: 1)
    let configuration = Configuration(cell: cell, inputSize: I, hiddenSize: H, head: Head(outputSize: 1))
    let network = Network<S>(configuration, .pyTorch, using: &random, backend: backend, workers: Workers(threads: threads))
    let p = Packing(sequences: B, steps: T)
    let x = Matrix<S>(rows: p.rowCount, columns: I, (0..<p.rowCount*I).map { _ in S(random.normal()) })
    let y = Matrix<S>(rows: p.rowCount, columns: 1, (0..<p.rowCount).map { _ in S(random.normal()) })
    var t = Trainer(network, loss: .halfSquaredError, optimizer: .adam())
    let fl = 2.0*Double(B*T*3*H*(I+H))
    let n = max(Int(backend == .reference ? 1 : 2e9/fl/6), 2)
    _ = t.step(x,y,p); _ = t.evaluate(x,y,p)
    let a = ContinuousClock().measure { for _ in 0..<n { _ = t.step(x,y,p) } } / Double(n)
    let b = ContinuousClock().measure { for _ in 0..<n { _ = t.evaluate(x,y,p) } } / Double(n)
    print(S.self, B,T,I,H, cell, threads, "train", a, 3*fl / (a / .nanoseconds(1)), "fwd", b, fl/(b / .nanoseconds(1)))
}
for v in GRU.Variant.allCases { go(Double.self,100,5,2,16,.gru(v)) }
go(Double.self,100,5,2,16,.gru(.chung2014), threads: 2)
for (B,T,I,H) in [(1,1,64,64),(1,100,128,128),(1,50,512,512),(32,50,64,128),(32,100,256,256),(64,50,512,512),(128,35,1024,1024)] {
    go(Double.self,B,T,I,H,.gru(.resetAfter)); go(Float.self,B,T,I,H,.gru(.resetAfter)) 
    if B > 1 { go(Double.self,B,T,I,H,.gru(.resetAfter),threads:2) }
}
go(Double.self,64,50,512,512,.gru(.resetAfter), backend: .reference)
